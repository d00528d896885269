"""TLS on loopback: a certificate that is not trusted, and a redirect that would leave TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from raijin.transport import http as module
from raijin.transport.http import Http, HttpFailure


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "loopback.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def secure(site, certificate: Path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    site.url = site.url.replace("http://", "https://")
    return site


async def test_an_untrusted_certificate_is_permanent(secure) -> None:
    async with Http() as http:
        with pytest.raises(HttpFailure, match="certificate not trusted") as caught:
            await http.fetch(secure.put("/x", b"x"))
    assert not caught.value.transient


async def test_a_redirect_out_of_tls_is_refused(secure, registry, certificate, monkeypatch) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(module, "_trust", lambda: trusting)
    inside = secure.put("/inside", b"", status=302, headers={"Location": secure.put("/x", b"x")})
    outside = secure.put("/outside", b"", status=302, headers={"Location": registry.put("/x", b"x")})
    async with Http() as http:
        assert (await http.fetch(inside)).body == b"x"
        with pytest.raises(HttpFailure, match="redirected from https to plain http") as caught:
            await http.fetch(outside)
    assert not caught.value.transient
