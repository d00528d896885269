"""A certificate for a server that was given none: made once, signed by itself, kept in RAIJIN_HOME."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 825
RENEW_DAYS = 30


def certificate(home: Path, names: Iterable[str]) -> tuple[Path, Path]:
    """The files of the certificate and its key, made anew when they are missing, expiring, or for other names."""
    folder, wanted = home / "tls", sorted(set(names))
    cert_file, key_file = folder / "server.crt", folder / "server.key"
    if cert_file.is_file() and key_file.is_file() and _serves(cert_file.read_bytes(), wanted):
        return cert_file, key_file
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "raijin")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in wanted]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return cert_file, key_file


def fingerprint(cert_file: Path) -> str:
    """Its SHA-256, as browsers and `openssl x509 -fingerprint -sha256` show it."""
    found = x509.load_pem_x509_certificate(cert_file.read_bytes()).fingerprint(hashes.SHA256())
    return ":".join(f"{byte:02X}" for byte in found)


def _serves(pem: bytes, names: list[str]) -> bool:
    try:
        found = x509.load_pem_x509_certificate(pem)
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    there = sorted(str(item.value) for item in alternative)
    return there == names and found.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=RENEW_DAYS)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
