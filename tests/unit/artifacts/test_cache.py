"""The cache: only whole and right files, cheap when nothing changed, safe between processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from raijin.artifacts import cache as module
from raijin.artifacts.cache import ABANDONED, Cache
from raijin.errors import ArtifactError, ChecksumMismatch

DATA = b"content" * 1000
SUM = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "kubelet"
    path.write_bytes(DATA)
    return path


def leftovers(cache: Cache) -> list[Path]:
    return list((cache.root / "tmp").glob("*"))


def test_put_and_get(cache: Cache, source: Path) -> None:
    assert cache.get(SUM) is None
    path = cache.put_file(source, SUM)
    assert path == cache.root / "sha256" / SUM[:2] / SUM == cache.get(SUM, len(DATA))
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o444
    assert list(cache.blobs()) == [(SUM, len(DATA))]
    assert not leftovers(cache)


def test_a_wrong_file_is_refused_and_nothing_stays(cache: Cache, source: Path) -> None:
    with pytest.raises(ChecksumMismatch, match=f"kubelet from {source} has sha256 {SUM}, expected {'0' * 64}"):
        cache.put_file(source, "0" * 64)
    assert not leftovers(cache)
    assert not list(cache.blobs())


def test_get_hashes_only_what_has_changed(cache: Cache, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache.put_file(source, SUM)
    hashed: list[Path] = []
    real = module.sha256_of
    monkeypatch.setattr(module, "sha256_of", lambda path: hashed.append(path) or real(path))
    assert cache.get(SUM, len(DATA)) == path
    assert not hashed
    os.utime(path, ns=(1, 1))
    assert cache.get(SUM) == path
    assert cache.get(SUM) == path
    assert hashed == [path]


@pytest.mark.parametrize("damage", [DATA[:-1], b"X" + DATA[1:]])
def test_a_damaged_file_is_a_miss_and_removed(cache: Cache, source: Path, damage: bytes) -> None:
    path = cache.put_file(source, SUM)
    path.chmod(0o644)
    path.write_bytes(damage)
    assert cache.get(SUM, len(DATA)) is None
    assert not path.exists()


def test_damage_that_keeps_the_looks_is_found_by_verify(cache: Cache, source: Path) -> None:
    path = cache.put_file(source, SUM)
    looks = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.write(b"X")
    os.utime(path, ns=(looks.st_atime_ns, looks.st_mtime_ns))
    assert cache.get(SUM) == path  # by design: see the module's text
    assert not cache.verify(SUM)
    assert not path.exists()


def test_a_lost_stamp_costs_a_hash_and_no_more(cache: Cache, source: Path) -> None:
    path = cache.put_file(source, SUM)
    path.with_name(f"{SUM}.stamp").unlink()
    assert cache.get(SUM) == path
    assert path.with_name(f"{SUM}.stamp").exists()


def test_what_is_no_sha256_is_never_a_path(cache: Cache) -> None:
    with pytest.raises(ArtifactError, match="is not a sha256"):
        cache.get("../../etc/passwd")


def test_prune_keeps_what_is_wanted_and_drops_litter(cache: Cache, source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"other")
    other_sum = hashlib.sha256(b"other").hexdigest()
    kept, dropped = cache.put_file(source, SUM), cache.put_file(other, other_sum)
    (cache.root / "tmp" / "fresh").write_bytes(b"12")
    old = cache.root / "tmp" / "old"
    old.write_bytes(b"123")
    os.utime(old, (0, 0))
    assert cache.prune({SUM}, now=ABANDONED + 1) == len(b"other") + len(b"123")
    assert kept.exists()
    assert not dropped.exists()
    assert [path.name for path in leftovers(cache)] == ["fresh"]
    assert {path.name for path in dropped.parent.glob("*")} <= {SUM, f"{SUM}.stamp"}


def test_only_one_holds_an_unfinished_file(cache: Cache) -> None:
    with cache.partial(SUM) as mine:
        assert mine is not None
        with cache.partial(SUM) as other:
            assert other is None
        mine.write(b"half")
    with cache.partial(SUM) as again:
        assert again is not None
        assert again.read() == b"half"


PUT = """
import sys
from pathlib import Path
from raijin.artifacts.cache import Cache
print(Cache(Path(sys.argv[1])).put_file(Path(sys.argv[2]), sys.argv[3]))
"""


def test_many_processes_put_the_same_file(cache: Cache, source: Path) -> None:
    command = [sys.executable, "-c", PUT, str(cache.root), str(source), SUM]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {child.communicate()[0].strip() for child in children} == {str(cache.path(SUM))}
    assert cache.verify(SUM)
    assert not leftovers(cache)


def test_a_full_disk_says_where_and_what_to_do(cache: Cache, source: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with cache.writer() as sink:
        sink._stream.close()
        sink._stream = full.open("wb", buffering=0)
        with pytest.raises(ArtifactError, match=r"cannot write under .*No space left") as caught, sink._stream:
            sink.write(DATA)
    assert "RAIJIN_HOME" in (caught.value.remedy or "")
    shutil.rmtree(cache.root)


def test_a_cache_that_cannot_be_made_is_an_artifact_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    with pytest.raises(ArtifactError, match="cannot write under"), Cache(tmp_path / "cache").writer():
        pass
