"""Certificates inside a cluster: they hold in a real handshake, are made anew in time, and their keys stay there."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import ssl
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from raijin.errors import KubernetesError
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext
from raijin.platforms import certificates, signing
from raijin.platforms.certificates import VALID_NOTE, ending, keep_certificates
from raijin.platforms.signing import leaf, new_authority
from raijin.transport.kube import describe

AUTHORITY = {"namespace": "kube-system", "secret": "cilium-ca", "common_name": "Cilium CA"}
SERVER = {
    "namespace": "kube-system",
    "secret": "server-certs",
    "name": "*.prod.hubble-grpc.cilium.io",
    "authority": AUTHORITY,
    "server": True,
}
CLIENT = {**SERVER, "secret": "client-certs", "name": "*.hubble-relay.cilium.io", "server": False}
NOW = dt.datetime.now(dt.UTC)


class FakeKube:
    """What is applied can be read; nothing else is asked of it here."""

    cluster = "lab"

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.applied: list[str] = []

    async def get(self, document: dict[str, Any]) -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get(describe(document)))

    async def apply(self, document: dict[str, Any]) -> None:
        self.objects[describe(document)] = copy.deepcopy(document)
        self.applied.append(document["metadata"]["name"])


@pytest.fixture
def kube(monkeypatch: pytest.MonkeyPatch) -> FakeKube:
    fake = FakeKube()

    @asynccontextmanager
    async def access(_: CallContext):
        yield fake

    monkeypatch.setattr(certificates, "open_access", access)
    return fake


async def keep(*wanted: dict[str, Any]) -> None:
    absent: Any = None
    arguments: Any = {"part": "network", "certificates": list(wanted)}
    await keep_certificates(CallContext("lab", "lab", arguments, absent, absent, absent, 60.0, lambda _: None, absent))


def files(document: dict[str, Any], folder: Path) -> dict[str, str]:
    found = {}
    for name, content in document["data"].items():
        path = folder / f"{document['metadata']['name']}-{name}"
        path.write_bytes(base64.b64decode(content))
        found[name] = str(path)
    return found


def certificate(document: dict[str, Any], name: str = "tls.crt") -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(document["data"][name]))


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """A handshake in memory's pipes: each side sends until both have what they need."""
    import socket

    ours, theirs = socket.socketpair()
    failures: list[Exception] = []

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as wrapped:
                wrapped.send(b"!")
        except (ssl.SSLError, OSError) as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=name) as wrapped:
            if wrapped.recv(1) != b"!":
                raise ssl.SSLError("the server went away")
    finally:
        ours.close()
        thread.join()
        theirs.close()
    assert failures == []


async def test_both_sides_prove_themselves_to_each_other(kube: FakeKube, tmp_path: Path) -> None:
    await keep(SERVER, CLIENT)
    own = files(kube.objects["Secret kube-system/server-certs"], tmp_path)
    theirs = files(kube.objects["Secret kube-system/client-certs"], tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own["tls.crt"], own["tls.key"])
    server.load_verify_locations(own["ca.crt"])
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_cert_chain(theirs["tls.crt"], theirs["tls.key"])
    client.load_verify_locations(theirs["ca.crt"])
    shake_hands(server, client, "w1.prod.hubble-grpc.cilium.io")
    with pytest.raises(ssl.SSLError, match=r"(?i)mismatch"):
        shake_hands(server, client, "w1.other.hubble-grpc.cilium.io")


async def test_nothing_is_made_twice(kube: FakeKube) -> None:
    await keep(SERVER, CLIENT)
    assert kube.applied == ["cilium-ca", "server-certs", "client-certs"]
    kube.applied.clear()
    await keep(SERVER, CLIENT)
    assert kube.applied == []


async def test_one_that_ends_soon_is_made_anew_by_the_same_authority(kube: FakeKube) -> None:
    await keep(SERVER, CLIENT)
    before = certificate(kube.objects["Secret kube-system/server-certs"])
    soon = (NOW + dt.timedelta(days=30)).date().isoformat()
    kube.objects["Secret kube-system/server-certs"]["metadata"]["annotations"][VALID_NOTE] = soon
    kube.applied.clear()
    await keep(SERVER, CLIENT)
    assert kube.applied == ["server-certs"]
    after = certificate(kube.objects["Secret kube-system/server-certs"])
    assert after.serial_number != before.serial_number
    assert after.issuer == before.issuer
    after.verify_directly_issued_by(certificate(kube.objects["Secret kube-system/cilium-ca"], "ca.crt"))


async def test_a_new_authority_signs_everything_anew(kube: FakeKube) -> None:
    """Or one side would not know the other's any more."""
    await keep(SERVER, CLIENT)
    del kube.objects["Secret kube-system/cilium-ca"]
    del kube.objects["Secret kube-system/server-certs"]
    kube.applied.clear()
    await keep(SERVER, CLIENT)
    assert kube.applied == ["cilium-ca", "server-certs", "client-certs"]
    issuer = certificate(kube.objects["Secret kube-system/cilium-ca"], "ca.crt")
    certificate(kube.objects["Secret kube-system/client-certs"]).verify_directly_issued_by(issuer)


async def test_an_authority_that_would_end_first_is_replaced(kube: FakeKube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "AUTHORITY_DAYS", 100)
    await keep(SERVER)
    first = certificate(kube.objects["Secret kube-system/cilium-ca"], "ca.crt").serial_number
    del kube.objects["Secret kube-system/server-certs"]
    monkeypatch.setattr(signing, "AUTHORITY_DAYS", 3650)
    await keep(SERVER)
    assert certificate(kube.objects["Secret kube-system/cilium-ca"], "ca.crt").serial_number != first


async def test_what_somebody_else_has_made_stays(kube: FakeKube) -> None:
    kube.objects["Secret kube-system/server-certs"] = {"metadata": {"name": "server-certs"}}
    await keep(SERVER)
    assert kube.applied == []


@pytest.mark.parametrize("broken", [{}, {"ca.crt": "", "ca.key": ""}, {"ca.crt": "eA==", "ca.key": "eA=="}])
async def test_an_authority_that_cannot_sign_is_said(kube: FakeKube, broken: dict[str, str]) -> None:
    kube.objects["Secret kube-system/cilium-ca"] = {
        "kind": "Secret",
        "metadata": {"name": "cilium-ca", "namespace": "kube-system"},
        "data": broken,
    }
    with pytest.raises(KubernetesError, match="cilium-ca is no authority that can sign"):
        await keep(SERVER)
    assert kube.applied == []


@pytest.mark.parametrize(("days", "due"), [(61, False), (59, True), (0, True), (-5, True)])
def test_when_one_is_due(days: int, due: bool) -> None:
    day = (NOW + dt.timedelta(days=days)).date().isoformat()
    live = {"metadata": {"annotations": {VALID_NOTE: day}}}
    moment = dt.datetime.combine(NOW.date(), dt.time(), dt.UTC).timestamp()
    assert ending(live, moment) == (day if due else "")
    assert ending(None, moment) == "absent"
    assert ending({"metadata": {}}, moment) == ""


def test_keys_are_masked_in_everything_that_is_printed() -> None:
    document = leaf(SERVER, new_authority("x"), "network")
    key = document["data"]["tls.key"]
    assert key not in MASKER.mask(f"the key is {key}")
    plain = base64.b64decode(key).decode()
    assert plain not in MASKER.mask(plain)
