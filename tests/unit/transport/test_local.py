"""This machine: child processes end when they must, and the same seam as SSH with a sudo that may refuse."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from raijin.errors import AuthenticationFailed, ChecksumMismatch, DeadlineExceeded, OperationFailed, ProcessError
from raijin.observe.waiting import until
from raijin.transport import local
from raijin.transport.local import LocalConnection

FAKE_SUDO = """#!/bin/sh
# A sudo that knows what we use of it: -n never asks, -S reads a line and compares it.
ask=no
while [ $# -gt 0 ]; do
  case $1 in
    -n) [ "$NEEDS_PASSWORD" = no ] || { echo 'sudo: a password is required' >&2; exit 1; }; shift;;
    -S) ask=$NEEDS_PASSWORD; shift;;
    -k) shift;; -p) shift 2;; --) shift; break;;
    *) echo "sudo: usage" >&2; exit 1;;
  esac
done
if [ "$ask" = yes ]; then
  IFS= read -r line
  [ "$line" = right ] || { echo 'Sorry, try again.' >&2; echo 'sudo: 3 incorrect password attempts' >&2; exit 1; }
fi
exec "$@"
"""


@pytest.fixture
def sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """We are not root, and sudo asks (or does not)."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sudo").write_text(FAKE_SUDO)
    (folder / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    def asks(answer: bool) -> None:
        monkeypatch.setenv("NEEDS_PASSWORD", "yes" if answer else "no")

    asks(True)
    return asks


async def test_a_program_to_its_end() -> None:
    seen: list[str] = []
    script = "cat; echo odd >&2; printf $X; exit 3"
    done = await local.run(["sh", "-c", script], stdin=b"one\ntwo\n", env={"X": "y"}, check=False, on_line=seen.append)
    assert (done.status, done.stdout, done.stderr) == (3, "one\ntwo\ny", "odd\n")
    assert seen == ["one", "two", "y"]


async def test_a_failure_says_the_last_words() -> None:
    with pytest.raises(ProcessError, match="sh ended with status 4: the reason") as caught:
        await local.run(["sh", "-c", "echo noise >&2; echo the reason >&2; exit 4"])
    assert "noise" in (caught.value.detail or "")


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ProcessError, match="no-such-program is not installed") as caught:
        await local.run(["no-such-program"])
    assert caught.value.remedy


async def test_ended_by_a_signal_is_a_failure() -> None:
    assert (await local.run(["sh", "-c", "kill -9 $$"], check=False)).status == -1


async def test_more_input_than_a_program_reads_is_no_error() -> None:
    assert (await local.run(["true"], stdin=b"x" * 1_000_000)).status == 0


async def given_up(how: str, argv: list[str], note: Path) -> int:
    """Start a child that notes a pid, wait for it in vain; the pid."""

    async def noted() -> str:
        return "" if note.exists() and note.read_text().endswith("\n") else "not yet"

    if how == "deadline":
        with pytest.raises(DeadlineExceeded, match="sh did not end within"):
            await local.run(argv, timeout=0.3)
        await until("the child", noted, timeout=5, interval=0.01)
    else:
        task = asyncio.create_task(local.run(argv))
        await until("the child", noted, timeout=5, interval=0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    return int(note.read_text())


hows = pytest.mark.parametrize("how", ["deadline", "cancelled"])


@hows
async def test_a_child_does_not_outlive_the_wait(tmp_path: Path, how: str) -> None:
    note = tmp_path / "pid"
    pid = await given_up(how, ["sh", "-c", f"echo $$ >{note}; exec sleep 30"], note)
    assert not Path(f"/proc/{pid}").exists()


@hows
async def test_nor_does_what_it_started(tmp_path: Path, how: str) -> None:
    note = tmp_path / "pid"
    pid = await given_up(how, ["sh", "-c", f"sleep 30 >/dev/null 2>&1 & echo $! >{note}; wait"], note)
    # The signal was sent before the wait ended; on a loaded machine the process needs a moment to die of it.
    for _ in range(250):
        if not _runs(pid):
            return
        await asyncio.sleep(0.02)
    os.kill(pid, 9)
    pytest.fail("it still ran five seconds later")


def _runs(pid: int) -> bool:
    """It is there, and not only waiting to be collected by process 1."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_the_seam_on_this_machine(tmp_path: Path) -> None:
    here = LocalConnection("alpha")
    done = await here.run("echo a line; echo odd >&2; exit 5\n", root=False)
    assert (done.status, done.stdout, done.stderr) == (5, "a line\n", "odd\n")
    with pytest.raises(DeadlineExceeded):
        await here.run("exec sleep 30", root=False, timeout=0.1)
    async with here.tunnel("192.0.2.1", 6443) as address:
        assert address == ("192.0.2.1", 6443)
    await here.close()


@pytest.mark.parametrize("asks", [True, False])
async def test_root_by_sudo(sudo, tmp_path: Path, asks: bool) -> None:
    sudo(asks)
    here = LocalConnection("alpha", sudo_password="right")
    assert (await here.run("echo it ran; exit 6")).status == 6
    source, there, counted = tmp_path / "source", tmp_path / "sub" / "there", []
    source.write_bytes(b"\0\xff" * 100_000)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    await here.push(source, str(there), sha256=digest, mode=0o600, progress=counted.append)
    assert (there.read_bytes(), there.stat().st_mode & 0o777) == (source.read_bytes(), 0o600)
    assert sum(counted) == 200_000
    assert await here.read(str(there)) == source.read_bytes()
    with pytest.raises(ChecksumMismatch):
        await here.push(source, str(there), sha256="0" * 64)
    with pytest.raises(OperationFailed, match="cannot read"):
        await here.read(str(tmp_path / "absent"))


@pytest.mark.parametrize(("password", "problem"), [("wrong", "refused the password"), (None, "none is given")])
async def test_a_sudo_that_refuses(sudo, password: str | None, problem: str) -> None:
    del sudo
    with pytest.raises(AuthenticationFailed, match=problem):
        await LocalConnection("alpha", sudo_password=password).run("echo it ran")


@pytest.mark.parametrize("way", ["push", "read"])
async def test_a_sudo_that_refuses_a_file(sudo, tmp_path: Path, way: str) -> None:
    del sudo
    here, source = LocalConnection("alpha", sudo_password="wrong"), tmp_path / "source"
    source.write_bytes(b"x")
    digest = hashlib.sha256(b"x").hexdigest()
    attempt = here.push(source, str(tmp_path / "there"), sha256=digest) if way == "push" else here.read(str(source))
    with pytest.raises(AuthenticationFailed, match="refused the password"):
        await attempt


async def test_no_sudo_at_all(sudo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    del sudo
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AuthenticationFailed, match="sudo is not installed") as caught:
        await LocalConnection("alpha").run("true")
    assert caught.value.remedy == "run raijin as root"
