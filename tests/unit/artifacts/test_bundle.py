"""Bundles: made, verified, imported; and every way in which one can be wrong."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest
import yaml

from raijin.artifacts import bundle as module
from raijin.artifacts.bundle import create, create_from_directory, import_bundle, imported, verify
from raijin.artifacts.cache import Cache
from raijin.artifacts.lock import Lock
from raijin.artifacts.locking import lock_from_bundle
from raijin.artifacts.store import Artifacts
from raijin.errors import ArtifactError, ChecksumMismatch

FILES = {"amd64/kubelet": b"kubelet" * 5000, "runc.tgz": b"archive" * 100, "images/pause.tar": b"layout" * 3000}
INVENTORY = {
    "artifacts": [
        {"name": "kubelet", "version": "1.34.10", "arch": "x86_64", "kind": "binary", "file": "amd64/kubelet"},
        {"name": "cni-plugins", "version": "v1.9.1", "arch": "amd64", "kind": "archive", "file": "runc.tgz"},
    ],
    "images": [{"ref": "registry.k8s.io/pause:3.10.1", "arch": "amd64", "file": "images/pause.tar"}],
}


def sum_of(name: str) -> str:
    return hashlib.sha256(FILES[name]).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "built"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "artifacts.yaml").write_text(yaml.safe_dump(INVENTORY))
    return root


@pytest.fixture
def path(folder: Path, tmp_path: Path) -> Path:
    create_from_directory(folder, tmp_path / "bundle.tar")
    return tmp_path / "bundle.tar"


def rewrite(path: Path, change) -> None:
    """Take the bundle apart, let `change` alter its members (name -> content, in order), put it together again."""
    with tarfile.open(path) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}
    change(members)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def altered_manifest(**fields: object):
    def change(members: dict[str, bytes]) -> None:
        members["bundle.json"] = json.dumps(json.loads(members["bundle.json"]) | fields).encode()

    return change


def test_what_a_builder_made_is_offered_after_import(path: Path, home: Path) -> None:
    progress: list[int] = []
    manifest = import_bundle(path, home, progress.append)
    assert sum(progress) == sum(map(len, FILES.values()))
    lock = lock_from_bundle(manifest)
    kubelet = lock.find("kubelet", "v1.34.10", "amd64")
    assert (kubelet.sha256, kubelet.size) == (sum_of("amd64/kubelet"), len(FILES["amd64/kubelet"]))
    assert (kubelet.source, kubelet.url, kubelet.file) == ("builder", "", "kubelet")
    assert lock.find("cni-plugins", "v1.9.1", "amd64").members == ("./",)
    pause = lock.find_image("registry.k8s.io/pause:3.10.1", "amd64")
    assert pause.file == "registry.k8s.io_pause_3.10.1_amd64.tar"
    artifacts = Artifacts(home, offline=True)
    assert artifacts.path(pause).read_bytes() == FILES["images/pause.tar"]
    assert artifacts.offered().sums() == lock.sums()
    (record,) = imported(home)
    assert record.origin == path


def test_import_twice_changes_nothing(path: Path, home: Path) -> None:
    import_bundle(path, home)
    before = {
        item: item.stat().st_mtime_ns for item in home.rglob("*") if item.is_file() and item.parent.name != "bundles"
    }
    import_bundle(path, home)
    assert {item: item.stat().st_mtime_ns for item in before} == before
    assert len(list((home / "bundles").iterdir())) == 1


def test_the_same_files_make_the_same_bundle(folder: Path, path: Path, tmp_path: Path) -> None:
    create_from_directory(folder, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == path.read_bytes()
    with tarfile.open(path) as tar:
        assert tar.getnames()[0] == "bundle.json"
        assert len(tar.getnames()) == 1 + len(FILES)


def test_a_good_bundle_verifies(path: Path) -> None:
    report = verify(path)
    assert report.good
    assert report.size == path.stat().st_size


async def test_a_bundle_from_a_lock_carries_what_it_lists(path: Path, home: Path, tmp_path: Path) -> None:
    lock = lock_from_bundle(import_bundle(path, home))
    made = await create(lock, Artifacts(home, offline=True), tmp_path / "second.tar")
    assert verify(tmp_path / "second.tar").good
    assert made.lock.sums() == lock.sums()
    fresh = tmp_path / "fresh"
    await asyncio.to_thread(import_bundle, tmp_path / "second.tar", fresh)
    assert Artifacts(fresh, offline=True).offered().sums() == lock.sums()


async def test_a_bundle_whose_files_cannot_be_had_is_not_begun(home: Path, path: Path, tmp_path: Path) -> None:
    lock = lock_from_bundle(import_bundle(path, home))
    with pytest.raises(ArtifactError, match="neither the cache nor a bundle"):
        await create(lock, Artifacts(tmp_path / "empty", offline=True), tmp_path / "out" / "b.tar")
    assert not (tmp_path / "out").exists()


def test_a_damaged_byte_is_found_and_nothing_wrong_is_imported(path: Path, home: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"kubeletkubelet")
    content[at] ^= 1
    path.write_bytes(content)
    report = verify(path)
    assert [str(finding).split(": its")[0] for finding in report.findings] == ["kubelet v1.34.10 (amd64): damaged"]
    with pytest.raises(ChecksumMismatch, match=rf"kubelet v1.34.10 \(amd64\) from {path} has sha256"):
        import_bundle(path, home)
    assert Cache(home / "cache").get(sum_of("amd64/kubelet")) is None
    assert imported(home) == []
    assert list((home / "cache" / "tmp").iterdir()) == []


@pytest.mark.parametrize("left", [0, 100, 512, 2000, 5000, 30_000, 50_000])
def test_a_bundle_that_was_cut_off_is_refused_wherever(path: Path, home: Path, left: int) -> None:
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(ArtifactError, match=r"is damaged|is not a Raijin bundle"):
        import_bundle(path, home)
    assert not (home / "cache").exists()


def test_a_cut_off_bundle_verifies_to_a_list(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30_000])
    problems = [str(finding) for finding in verify(path).findings]
    assert any("cut off" in problem for problem in problems)
    assert any("missing from the bundle" in problem for problem in problems)


def test_a_bundle_without_its_end_mark_was_cut_off(path: Path) -> None:
    with tarfile.open(path) as tar:
        last = tar.getmembers()[-1]
    end = last.offset_data + (last.size + 511) // 512 * 512
    path.write_bytes(path.read_bytes()[:end])
    assert ["no end mark" in str(finding) for finding in verify(path).findings] == [True]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../../etc/cron.d/x", "leads out of the bundle"),
        ("/etc/passwd", "leads out of the bundle"),
        ("blobs/sha256/../../x", "leads out of the bundle"),
        ("readme.txt", "unexpected"),
        (f"blobs/sha256/{'0' * 64}", "extra: the manifest does not list it"),
        ("blobs/sha256/ABC", "unexpected"),
    ],
)
def test_names_that_do_not_belong_are_refused(path: Path, home: Path, name: str, problem: str) -> None:
    rewrite(path, lambda members: members.update({name: b"x"}))
    with pytest.raises(ArtifactError) as caught:
        import_bundle(path, home)
    assert problem in caught.value.message
    assert name in caught.value.message
    assert "raijin bundle verify" in (caught.value.remedy or "")
    assert not (home / "cache").exists()


def test_a_link_is_not_a_file(path: Path, home: Path) -> None:
    name = f"blobs/sha256/{sum_of('runc.tgz')}"
    rewrite(path, lambda members: members.pop(name))
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(link)
    problems = [finding.problem for finding in verify(path).findings]
    assert problems[0] == "is not a plain file"
    with pytest.raises(ArtifactError, match="is not a plain file"):
        import_bundle(path, home)


def absent(name: str) -> str:
    return f"missing from the bundle (blobs/sha256/{sum_of(name)})"


def test_every_missing_file_is_named(path: Path) -> None:
    def drop(members: dict[str, bytes]) -> None:
        for name in ("amd64/kubelet", "images/pause.tar"):
            del members[f"blobs/sha256/{sum_of(name)}"]

    rewrite(path, drop)
    found = {finding.entry: finding.problem for finding in verify(path).findings}
    assert found == {
        "image registry.k8s.io/pause:3.10.1 (amd64)": absent("images/pause.tar"),
        "kubelet v1.34.10 (amd64)": absent("amd64/kubelet"),
    }


def test_a_size_that_differs_from_the_manifest_is_found(path: Path) -> None:
    rewrite(path, lambda members: members.update({f"blobs/sha256/{sum_of('runc.tgz')}": b"short"}))
    problems = [finding.problem for finding in verify(path).findings]
    assert problems[0] == "has 5 bytes, the manifest says 700"
    assert problems[1].startswith("damaged")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (altered_manifest(bundle=2), "is a bundle of format 2, this Raijin reads format 1"),
        (altered_manifest(artifacts=[{"name": "x"}]), "artifacts[0]: version is missing"),
        (lambda members: members.update({"bundle.json": b"{"}), "bundle.json is not JSON"),
        (lambda members: members.update({"bundle.json": b"[]"}), "bundle.json is not a bundle's"),
        (lambda members: members.pop("bundle.json"), "it does not begin with bundle.json"),
    ],
)
def test_a_manifest_that_cannot_be_read(path: Path, home: Path, change, message: str) -> None:
    rewrite(path, change)
    for action in (verify, lambda path: import_bundle(path, home)):
        with pytest.raises(ArtifactError) as caught:
            action(path)
        assert message in caught.value.message


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x1f\x8b\x08" + b"x" * 2000, b"\0" * 10240])
def test_what_is_no_tar_is_no_bundle(tmp_path: Path, home: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ArtifactError, match="is not a Raijin bundle"):
        import_bundle(tmp_path / "x", home)
    with pytest.raises(ArtifactError, match="there is no bundle at"):
        import_bundle(tmp_path / "absent", home)


def test_a_disk_without_room_is_said_before_anything_is_written(
    path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(ArtifactError, match=r"needs 1 MiB under .*, 0 MiB are free") as caught:
        import_bundle(path, home)
    assert "RAIJIN_HOME" in (caught.value.remedy or "")
    assert not home.exists()


def inventory(folder: Path, **change: object) -> None:
    (folder / "artifacts.yaml").write_text(yaml.safe_dump(INVENTORY | change))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"file": "absent"}, "artifacts[0]: there is no file 'absent'"),
        ({"file": "../outside"}, "artifacts[0]: '../outside' is not inside"),
        ({"file": "/etc/passwd"}, "artifacts[0]: '/etc/passwd' is not inside"),
        ({"kind": "exe"}, "artifacts[0]: kind must be one of binary, archive, images, not 'exe'"),
        ({"version": 1.34}, "artifacts[0]: version must be a text (quote a bare number)"),
        ({"sha256": "0"}, "artifacts[0]: unknown field 'sha256'"),
    ],
)
def test_a_wrong_inventory_is_explained(folder: Path, tmp_path: Path, row: dict[str, object], fault: str) -> None:
    (folder.parent / "outside").write_text("x")
    inventory(folder, artifacts=[INVENTORY["artifacts"][0] | row])
    with pytest.raises(ArtifactError) as caught:
        create_from_directory(folder, tmp_path / "b.tar")
    assert fault in caught.value.message
    assert not (tmp_path / "b.tar").exists()


def test_a_link_out_of_the_folder_is_not_bundled(folder: Path, tmp_path: Path) -> None:
    (folder / "secret").symlink_to("/etc/hostname")
    inventory(folder, artifacts=[INVENTORY["artifacts"][0] | {"file": "secret"}])
    with pytest.raises(ArtifactError, match="is not inside"):
        create_from_directory(folder, tmp_path / "b.tar")


def test_all_faults_of_an_inventory_at_once(folder: Path, tmp_path: Path) -> None:
    first = INVENTORY["artifacts"][0]
    inventory(
        folder, artifacts=[first, first | {"arch": "amd64"}, 7], images=[{"ref": "A b", "arch": "x", "file": "y"}]
    )
    with pytest.raises(ArtifactError, match="and 2 more") as caught:
        create_from_directory(folder, tmp_path / "b.tar")
    assert "artifacts[1]: kubelet v1.34.10 (amd64) is listed twice" in (caught.value.detail or "")
    (folder / "artifacts.yaml").unlink()
    with pytest.raises(ArtifactError, match=r"there is no artifacts\.yaml in"):
        create_from_directory(folder, tmp_path / "b.tar")


def test_a_file_that_changes_while_it_is_bundled(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sha256_of", lambda _: "0" * 64)
    with pytest.raises(ChecksumMismatch):
        create_from_directory(folder, tmp_path / "b.tar")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["built"]


def test_bundles_that_were_imported_are_merged(folder: Path, path: Path, tmp_path: Path, home: Path) -> None:
    import_bundle(path, home)
    inventory(folder, artifacts=[INVENTORY["artifacts"][0] | {"version": "v1.35.4"}], images=[])
    create_from_directory(folder, tmp_path / "second.tar")
    import_bundle(tmp_path / "second.tar", home)
    offered = Artifacts(home).offered()
    assert {entry.version for entry in offered.artifacts if entry.name == "kubelet"} == {"v1.34.10", "v1.35.4"}
    assert len(offered.versions_of("kubelet")) == 2
    assert isinstance(offered, Lock)
