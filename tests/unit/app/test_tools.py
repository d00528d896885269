"""Programs of a distribution that run on this machine: taken out of what was verified."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raijin.app.tools import tool_of
from raijin.artifacts.catalogue import kind_of, normal_arch
from raijin.artifacts.lock import Lock, LockEntry
from raijin.errors import ArtifactError
from raijin.model.version import Version

RELEASE = "v4.22.0-okd-scos.7"


def archive(folder: Path, *members: str) -> Path:
    path = folder / "downloaded.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in members:
            entry, data = tarfile.TarInfo(name), f"this is {name}".encode()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def session_of(folder: Path, *members: str) -> Any:
    source, asked = archive(folder, *members), []

    async def ensure(entry: LockEntry) -> Path:
        asked.append(entry.name)
        return source

    here = normal_arch(__import__("platform").machine())
    lock = Lock((LockEntry("oc", RELEASE, here, "archive", "oc.tar.gz", "a" * 64),))
    cluster = SimpleNamespace(kubernetes_version=Version.parse(RELEASE))
    return SimpleNamespace(
        home=folder / "home", lock=lock, cluster=cluster, artifacts=SimpleNamespace(ensure=ensure), asked=asked
    )


async def test_a_program_is_taken_out_of_its_archive_once(tmp_path: Path) -> None:
    session = session_of(tmp_path, "README.md", "kubectl", "oc")
    path = await tool_of(session, "oc")
    assert (path.read_text(), path.stat().st_mode & 0o777, path.name) == ("this is oc", 0o755, "oc")
    assert await tool_of(session, "oc") == path
    assert session.asked == ["oc"]
    assert [item.name for item in path.parent.iterdir()] == ["oc"]


async def test_an_archive_without_the_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"there is no oc in downloaded\.tar\.gz"):
        await tool_of(session_of(tmp_path, "README.md"), "oc")
    assert not list((tmp_path / "home" / "tools").glob("*/oc"))


@pytest.mark.parametrize(
    ("name", "arch", "file"),
    [
        ("openshift-install", "amd64", "openshift-install-linux-4.22.0-okd-scos.7.tar.gz"),
        ("oc", "arm64", "openshift-client-linux-arm64-4.22.0-okd-scos.7.tar.gz"),
    ],
)
def test_where_okd_publishes_its_programs(name: str, arch: str, file: str) -> None:
    kind, base = kind_of(name), "https://github.com/okd-project/okd/releases/download/4.22.0-okd-scos.7"
    assert kind.url(RELEASE, arch) == f"{base}/{file}"
    assert kind.checksum_url(RELEASE, arch) == f"{base}/sha256sum.txt"
