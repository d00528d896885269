"""The lock file: stable, atomic, strict; and where its checksums come from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from raijin.artifacts.catalogue import kind_of
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry, lock_path, read_lock, write_lock
from raijin.artifacts.locking import lock_from_upstream
from raijin.artifacts.needs import ArtifactNeed, ImageNeed
from raijin.artifacts.store import Artifacts
from raijin.errors import ArtifactError
from raijin.transport.http import Retry

A, B, C = "a" * 64, "b" * 64, "c" * 64
KUBELET = LockEntry("kubelet", "v1.34.10", "amd64", "binary", "kubelet", A, 7, "https://dl.k8s.io/kubelet", (), "s")
HELM = LockEntry("helm", "v4.2.4", "amd64", "archive", "helm.tgz", B, members=("linux-amd64/helm",))
PAUSE = ImageEntry("registry.k8s.io/pause:3.10.1", "amd64", "pause.tar", C, 9, f"sha256:{A}", "registry")


def test_written_and_read_back_is_equal_and_stable(tmp_path: Path) -> None:
    path = tmp_path / "raijin.lock.yaml"
    write_lock(path, Lock((KUBELET, HELM), (PAUSE,)))
    first = path.read_bytes()
    found = read_lock(path)
    assert set(found.artifacts) == {KUBELET, HELM}
    assert found.images == (PAUSE,)
    write_lock(path, Lock((HELM, KUBELET), (PAUSE,)))
    assert path.read_bytes() == first
    assert first.startswith(b"# Written by `raijin artifacts lock`")
    assert list(tmp_path.iterdir()) == [path]


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Z")), min_size=1, max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT, st.integers(0, 2**40), TEXT), unique_by=lambda row: (row[0], row[1]), max_size=6))
def test_any_text_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int, str]]
) -> None:
    entries = tuple(
        LockEntry(name, f"v{version}", "amd64", "binary", "file", A, size, source, (), source)
        for name, version, size, source in rows
    )
    path = tmp_path_factory.mktemp("lock") / "raijin.lock.yaml"
    write_lock(path, Lock(entries))
    assert set(read_lock(path).artifacts) == set(entries)


def test_find_is_forgiving_about_spelling_and_strict_about_absence() -> None:
    lock = Lock((KUBELET,), (PAUSE,))
    assert lock.find("kubelet", "1.34.10", "x86_64") is KUBELET
    assert lock.find_image("registry.k8s.io/pause:3.10.1", "x86_64") is PAUSE
    with pytest.raises(ArtifactError, match=r"raijin.lock.yaml does not hold kubelet v1.34.9 \(amd64\)") as caught:
        lock.find("kubelet", "1.34.9", "amd64")
    assert "`raijin artifacts lock`" in (caught.value.remedy or "")
    with pytest.raises(ArtifactError, match="does not hold image"):
        lock.find_image("registry.k8s.io/pause:3.9", "amd64")


def test_merging_replaces_the_same_and_keeps_the_rest() -> None:
    merged = Lock((KUBELET, HELM), (PAUSE,)).merged(Lock((replace(KUBELET, sha256=C),)))
    assert {entry.sha256 for entry in merged.artifacts} == {B, C}
    assert merged.images == (PAUSE,)


def test_the_lock_stands_beside_the_definition(tmp_path: Path) -> None:
    assert lock_path(tmp_path) == tmp_path / "raijin.lock.yaml"
    assert lock_path(tmp_path / "lab.yaml") == tmp_path / "raijin.lock.yaml"


def test_an_absent_lock_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no lock file at") as caught:
        read_lock(tmp_path / "raijin.lock.yaml")
    assert "raijin artifacts lock" in (caught.value.remedy or "")


GOOD = {"name": "n", "version": "v1", "arch": "amd64", "kind": "binary", "file": "f", "sha256": A}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"sha256": "abc"}, "artifacts[0]: sha256 is not 64 lower-case hexadecimal digits ('abc')"),
        ({"sha256": ""}, "artifacts[0]: sha256 is missing"),
        ({"file": "../../etc/passwd"}, "artifacts[0]: file must be a plain name without folders ('../../etc/passwd')"),
        ({"kind": "blob"}, "artifacts[0]: kind must be one of binary, archive, images ('blob')"),
        ({"size": -1}, "artifacts[0]: size has a value of the wrong type (-1)"),
        ({"version": 1.3}, "artifacts[0]: version has a value of the wrong type (1.3)"),
        ({"extra": "x"}, "artifacts[0]: unknown field 'extra'"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, row: dict[str, object], fault: str) -> None:
    path = tmp_path / "raijin.lock.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "artifacts": [GOOD | row]}))
    with pytest.raises(ArtifactError) as caught:
        read_lock(path)
    assert caught.value.message == f"{path}: {fault}"


def test_every_fault_is_in_the_detail(tmp_path: Path) -> None:
    path = tmp_path / "raijin.lock.yaml"
    bad = {"ref": "not a ref", "arch": "amd64", "file": "f", "sha256": A}
    path.write_text(yaml.safe_dump({"version": 1, "artifacts": [GOOD | {"sha256": "x"}, 5], "images": [bad]}))
    with pytest.raises(ArtifactError, match="and 2 more") as caught:
        read_lock(path)
    assert len((caught.value.detail or "").splitlines()) == 3


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "version: 9", "version: 1\nartifacts: 3\n"])
def test_what_is_no_lock_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "raijin.lock.yaml"
    path.write_text(text)
    with pytest.raises(ArtifactError):
        read_lock(path)


def test_an_entry_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "raijin.lock.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "artifacts": [GOOD, GOOD | {"version": "1", "sha256": B}]}))
    with pytest.raises(ArtifactError, match=r"n 1 \(amd64\) is listed twice"):
        read_lock(path)


async def test_checksums_come_from_the_published_file_and_the_file_is_not_fetched(site, home, retry) -> None:
    content = b"the kubelet"
    published = hashlib.sha256(content).hexdigest()
    base = "/dl.k8s.io/release/v1.34.10/bin/linux/amd64/kubelet"
    site.put(base, content)
    site.put(f"{base}.sha256", published.encode())
    artifacts = Artifacts(home, site.url, retry=retry)
    async with artifacts.connect() as upstream:
        lock = await lock_from_upstream([ArtifactNeed("kubelet", "v1.34.10", "amd64")] * 2, upstream)
    (entry,) = lock.artifacts
    assert (entry.sha256, entry.size) == (published, len(content))
    assert entry.url == kind_of("kubelet").url("v1.34.10", "amd64")
    assert entry.source == f"{site.url}{base}.sha256"
    assert [(seen.method, seen.path) for seen in site.log] == [("GET", f"{base}.sha256"), ("HEAD", base)]


async def test_credentials_of_a_mirror_do_not_reach_the_lock(site, home, retry) -> None:
    base = "/dl.k8s.io/release/v1.34.10/bin/linux/amd64/kubelet"
    site.put(f"{base}.sha256", A.encode())
    mirror = site.url.replace("http://", "http://user:geheim@")
    async with Artifacts(home, mirror, retry=retry).connect() as upstream:
        lock = await lock_from_upstream([ArtifactNeed("kubelet", "v1.34.10", "amd64")], upstream)
    assert "geheim" not in repr(lock)
    assert site.log[0].headers["authorization"].startswith("Basic ")


async def test_all_that_cannot_be_locked_is_named(site, home) -> None:
    # Upstream itself must stay out of a unit test: an architecture that nobody builds fails before any request.
    needs = [ArtifactNeed(name, "v1.34.10", "mips") for name in ("kubelet", "kubeadm")]
    async with Artifacts(home, site.url, retry=Retry(1)).connect() as upstream:
        with pytest.raises(ArtifactError, match="2 artifacts could not be locked") as caught:
            await lock_from_upstream(needs, upstream)
    assert "kubeadm is not published for mips" in (caught.value.detail or "")


async def test_an_image_is_locked_by_its_digest(registry, home, retry) -> None:
    digests = registry.push("k8s/pause", "3.10")
    ref = f"127.0.0.1:{registry.port}/k8s/pause:3.10"
    artifacts = Artifacts(home, retry=retry)
    async with artifacts.connect() as upstream:
        lock = await lock_from_upstream([ImageNeed(ref, "arm64")], upstream)
    (entry,) = lock.images
    assert entry.digest == digests["arm64"]
    assert entry.source == "registry"
    path = await artifacts.ensure(entry)
    assert (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) == (entry.size, entry.sha256)
