"""Archives: what was packed comes out as it was, to those who have a key, or not at all."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pyrage
import pytest

from raijin.backups.archive import Manifest, extract_snapshot, opened, read_entry, seal
from raijin.errors import ChecksumMismatch, StateError, UsageError

ABOUT = Manifest("prod", "VANILLA", "v1.34.2", "n1", 1_800_000_000.0)
FILES = {"etcd.db": b"\x00snapshot" * 1000, "etc/kubernetes/pki/ca.key": b"a key\n"}


def packed(path: Path, files: dict[str, bytes] = FILES) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def keys() -> list[pyrage.x25519.Identity]:
    return [pyrage.x25519.Identity.generate() for _ in range(3)]


def sealed(folder: Path, keys: list[pyrage.x25519.Identity]) -> Path:
    target = folder / "prod-20270115T080000Z.tar.age"
    seal(packed(folder / "plain.tar"), ABOUT, [str(key.to_public()) for key in keys], target)
    return target


def test_every_recipient_reads_what_was_packed(tmp_path: Path, keys) -> None:
    target = sealed(tmp_path, keys[:2])
    assert target.stat().st_mode & 0o777 == 0o600
    assert FILES["etc/kubernetes/pki/ca.key"] not in target.read_bytes()
    for key in keys[:2]:
        with opened(target, [str(key)], tmp_path / "work") as (about, tar):
            assert (about.cluster, about.version, about.created) == ("prod", "v1.34.2", 1_800_000_000.0)
            assert about.files() == {"/etc/kubernetes/pki/ca.key": "etc/kubernetes/pki/ca.key"}
            assert read_entry(tar, "etc/kubernetes/pki/ca.key") == FILES["etc/kubernetes/pki/ca.key"]
            extract_snapshot(tar, tmp_path / "etcd.db")
    assert (tmp_path / "etcd.db").read_bytes() == FILES["etcd.db"]
    assert list((tmp_path / "work").iterdir()) == [], "nothing that was decrypted stays"


def test_a_stranger_does_not_read_it(tmp_path: Path, keys) -> None:
    target = sealed(tmp_path, keys[:2])
    with pytest.raises(StateError, match="cannot be read"), opened(target, [str(keys[2])], tmp_path / "work"):
        pass


@pytest.mark.parametrize("at", [0.1, 0.5, 0.99])
def test_a_damaged_one_is_refused(tmp_path: Path, keys, at: float) -> None:
    target = sealed(tmp_path, keys)
    data = bytearray(target.read_bytes())
    data[int(len(data) * at)] ^= 1
    target.write_bytes(data)
    with pytest.raises((StateError, UsageError, ChecksumMismatch)), opened(target, [str(keys[0])], tmp_path / "work"):
        pass


def test_an_entry_that_is_not_what_the_manifest_says(tmp_path: Path, keys) -> None:
    """Encrypted by somebody who had the public key, with another snapshot under the old manifest."""
    recipient = [str(keys[0].to_public())]
    plain = packed(tmp_path / "plain.tar")
    whole = seal(plain, ABOUT, recipient, tmp_path / "first.tar.age")
    assert set(whole.entries) == set(FILES)
    with tarfile.open(plain) as tar:
        manifest = read_entry(tar, "raijin.json")
    swapped = packed(tmp_path / "swapped.tar", {**FILES, "etcd.db": b"another", "raijin.json": manifest})
    target = tmp_path / "swapped.tar.age"
    with swapped.open("rb") as source, target.open("wb") as sink:
        pyrage.encrypt_io(source, sink, [keys[0].to_public()])
    with pytest.raises(ChecksumMismatch, match=r"damaged: etcd\.db"), opened(target, [str(keys[0])], tmp_path / "work"):
        pass


def test_a_tar_without_a_snapshot_is_no_backup(tmp_path: Path, keys) -> None:
    plain = packed(tmp_path / "plain.tar", {"etc/x": b"x"})
    with pytest.raises(UsageError, match=r"no etcd\.db"):
        seal(plain, ABOUT, [str(keys[0].to_public())], tmp_path / "out.tar.age")
    assert not (tmp_path / "out.tar.age").exists()


def test_something_else_that_was_encrypted(tmp_path: Path, keys) -> None:
    target = tmp_path / "letter.age"
    target.write_bytes(pyrage.encrypt(b"dear friend", [keys[0].to_public()]))
    with pytest.raises(UsageError, match="not a backup that Raijin made"), opened(target, [str(keys[0])], tmp_path):
        pass
