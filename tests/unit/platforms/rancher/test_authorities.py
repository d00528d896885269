"""The authorities of K3s and RKE2 are made once, and found again on a server or here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from tests.unit.platforms.test_authorities import Host, called

from raijin.platforms.authorities import kept_of
from raijin.platforms.rancher.authorities import make_authorities
from raijin.platforms.rancher.layout import AUTHORITY_FILES
from raijin.platforms.signing import new_root
from raijin.platforms.turns import MARKER

ROTATION = ".".join((*AUTHORITY_FILES, "1a2b3c4d"))
TLS, STAGED = "/var/lib/rancher/k3s/server/tls", "/var/lib/rancher/k3s/server/rotate-ca/tls"


def server(**more: str) -> Host:
    files = {}
    for file in AUTHORITY_FILES.values():
        files[f"{TLS}/{file}.crt"], files[f"{TLS}/{file}.key"] = new_root(file, "ECDSA-P256", 10)
    return Host(files | more)


def making(tmp_path: Path, host: Host) -> Any:
    return called(tmp_path, host, rotation=ROTATION, hosts=["n1"], tls=TLS, staged=STAGED, product="k3s")


def text(context: Any, name: str, part: str) -> str:
    return context.secrets.get(f"cluster/lab/authorities/{ROTATION}/{name}/{part}")


async def test_each_follows_the_one_that_lies_there_and_is_made_once(tmp_path: Path) -> None:
    host = server()
    context = making(tmp_path, host)
    await make_authorities(context)
    for name, file in AUTHORITY_FILES.items():
        old = x509.load_pem_x509_certificate(host.files[f"{TLS}/{file}.crt"].encode())
        assert x509.load_pem_x509_certificates(text(context, name, "new").encode())[-1] == old
    assert {*kept_of(context.secrets, "lab")[ROTATION]} == {*AUTHORITY_FILES}
    before = text(context, "server", "new")
    await make_authorities(context)
    assert text(context, "server", "new") == before


async def test_what_waits_on_a_server_is_taken_by_another_home(tmp_path: Path) -> None:
    waiting = {
        f"{STAGED}/{file}.{end}": f"waiting {end}" for file in AUTHORITY_FILES.values() for end in ("crt", "key")
    }
    marker = {f"/var/lib/raijin/stamps/command:{MARKER}{ROTATION}": ""}
    context = making(tmp_path, server(**waiting, **marker))
    await make_authorities(context)
    assert text(context, "server", "new") == "waiting crt"
