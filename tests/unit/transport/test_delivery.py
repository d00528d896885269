"""Files in their place. Law: the destination is the old file or the whole new one, and nothing stays beside it."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

import pytest

from raijin.errors import ChecksumMismatch, HostUnreachable, OperationFailed
from raijin.transport.base import Completed
from raijin.transport.delivery import Received, atomic_copy, atomic_write, check_received, receive, send, sha256_of

CONTENT = b"\0\xffcontent\n" * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def received(destination: Path, content: bytes = CONTENT, sha256: str = DIGEST, mode: int = 0o644) -> None:
    """The script that hosts run, here."""
    done = subprocess.run(receive(str(destination), sha256, mode), input=content, capture_output=True, check=False)
    completed = Completed(done.returncode, done.stdout.decode(), done.stderr.decode(), 0.0)
    check_received(completed, str(destination), "alpha")


def copied(destination: Path, content: bytes = CONTENT, sha256: str = DIGEST, mode: int = 0o644) -> None:
    with tempfile.NamedTemporaryFile() as source:
        source.write(content)
        source.flush()
        atomic_copy(Path(source.name), destination, sha256, mode, "alpha")


ways = pytest.mark.parametrize("deliver", [received, copied])


@ways
def test_the_bytes_the_mode_and_new_folders(tmp_path: Path, deliver) -> None:
    there = tmp_path / "it's new" / "$(sub) folder" / "file"
    deliver(there, mode=0o4750)
    assert there.read_bytes() == CONTENT
    assert there.stat().st_mode & 0o7777 == 0o4750
    assert list(there.parent.iterdir()) == [there]


@ways
def test_other_bytes_never_arrive(tmp_path: Path, deliver) -> None:
    there = tmp_path / "file"
    there.write_text("old")
    with pytest.raises(ChecksumMismatch, match="sha256") as caught:
        deliver(there, content=b"other")
    assert caught.value.host == "alpha"
    assert there.read_text() == "old"
    assert list(tmp_path.iterdir()) == [there]


@ways
def test_a_folder_cannot_be_made(tmp_path: Path, deliver) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationFailed, match="cannot write"):
        deliver(tmp_path / "file" / "sub" / "there")


@pytest.mark.parametrize(
    "deliver",
    [
        received,
        copied,
    ],
)
def test_a_folder_in_the_way_is_said(tmp_path: Path, deliver) -> None:
    there = tmp_path / "folder"
    there.mkdir()
    with pytest.raises(OperationFailed):
        deliver(there)
    assert list(there.iterdir()) == []
    assert list(tmp_path.iterdir()) == [there]


def test_a_lost_connection_is_not_a_bad_disk() -> None:
    with pytest.raises(HostUnreachable, match="lost while /there was sent"):
        check_received(Completed(-1, "", "", 0.0), "/there", "alpha")


def test_the_last_words_of_the_host_are_in_the_message() -> None:
    words = "warning: something\ncat: write error: No space left on device\n"
    with pytest.raises(OperationFailed, match="cannot write /there: cat: write error: No space left") as caught:
        check_received(Completed(66, "", words, 0.0), "/there", "alpha")
    assert caught.value.remedy == "free space on the host"
    assert caught.value.detail == words


def test_writing_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "new" / "file"
    atomic_write(there, b"one", mode=0o600)
    assert (there.read_bytes(), there.stat().st_mode & 0o777) == (b"one", 0o600)

    def broken(self: Path, target: Path) -> None:
        del self, target
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="no"):
        atomic_write(there, b"two")
    assert there.read_bytes() == b"one"
    assert list(there.parent.iterdir()) == [there]


def test_the_sha256_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    assert sha256_of(path) == DIGEST


def fetched(source: Path, destination: Path, *, cut: int | None = None) -> None:
    """What hosts send, taken in here; `cut`: how many bytes of it arrive."""
    done = subprocess.run(send(str(source)), capture_output=True, check=False)
    taking = Received(destination, None)
    data = done.stdout if cut is None else done.stdout[:cut]
    for start in range(0, len(data), 777):
        taking.take(data[start : start + 777])
    taking.end(Completed(done.returncode, "", done.stderr.decode(), 0.0), str(source), "alpha")


def test_a_file_of_a_host_comes_whole_and_private(tmp_path: Path) -> None:
    (tmp_path / "it's $(sub)").write_bytes(CONTENT)
    fetched(tmp_path / "it's $(sub)", tmp_path / "new" / "here")
    assert (tmp_path / "new" / "here").read_bytes() == CONTENT
    assert (tmp_path / "new" / "here").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [0, 10, 65, 5000])
def test_a_file_that_arrives_in_part_leaves_the_old_one(tmp_path: Path, cut: int) -> None:
    (tmp_path / "there").write_bytes(CONTENT)
    (tmp_path / "here").write_text("old")
    with pytest.raises(ChecksumMismatch, match="arrived damaged"):
        fetched(tmp_path / "there", tmp_path / "here", cut=cut)
    assert (tmp_path / "here").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there"]


def test_a_file_that_is_not_on_the_host(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match=r"cannot read .*gone"):
        fetched(tmp_path / "gone", tmp_path / "here")
    assert list(tmp_path.iterdir()) == []
