"""One program on one host: what it needs is sent, what it says is followed, and a failure is told so that it helps."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from raijin.engine.programs import ProgramRunner, last_words
from raijin.errors import ApiLost, Cancelled, HostUnreachable, NotFound, OperationFailed
from raijin.observe.events import Event, Events, Kind
from raijin.observe.masking import MASKER
from raijin.operations import program as program_module
from raijin.operations.base import SecretRef
from raijin.operations.command import Command
from raijin.operations.install import Install
from raijin.operations.reboot import Reboot
from raijin.transport.base import Completed

TOKEN = "run-1-1"
SECRET = "the-join-token-of-the-cluster"


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def runner(bench, told: list[Event]) -> ProgramRunner:
    def resolve(reference: SecretRef) -> str:
        MASKER.add(SECRET)
        if reference.secret != "token":
            raise NotFound(f"there is no secret {reference.secret}")
        return SECRET

    return ProgramRunner("run-1", TOKEN, bench.pool, Events(told.append), resolve, bench.locate)


@pytest.fixture
def execute(runner: ProgramRunner, make) -> Callable:
    async def run(*operations: object, **more: object) -> None:
        step = make["program"]("a", *operations, **more)
        await runner.execute(step, step.action)

    return run


def operations(told: list[Event]) -> list[tuple[object, object]]:
    return [(e.data["title"], e.data["state"]) for e in told if e.kind is Kind.OPERATION]


async def test_twice_changes_once(execute, make, told, tmp_path: Path) -> None:
    there = tmp_path / "it's a file"
    await execute(make["file"](there))
    assert there.read_text() == "content\n"
    assert operations(told) == [(f"file {there}", "started"), (f"file {there}", "changed")]
    told.clear()
    await execute(make["file"](there))
    assert operations(told) == [(f"file {there}", "ok")]


async def test_a_failure_names_the_operation_its_last_words_and_keeps_all(execute, make, told, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    broken = make["command"]("start the thing", "echo some noise >&2; echo port 6443 is in use >&2; exit 3", after)
    with pytest.raises(OperationFailed) as caught:
        await execute(make["file"](before), broken, make["file"](after))
    error = caught.value
    assert error.host == "alpha"
    assert error.message == "start the thing failed: it ended with status 3: port 6443 is in use"
    assert "some noise" in (error.detail or "")
    assert "resume" in (error.remedy or "")
    assert (before.exists(), after.exists()) == (True, False)
    assert operations(told)[-2:] == [("start the thing", "failed"), (f"file {after}", "skipped")]


@pytest.mark.parametrize(
    "words",
    [
        'cannot create: Post "https://192.0.2.10:6443/apis/rbac": dial tcp 192.0.2.10:6443: no route to host',
        'Get "https://192.0.2.10:6443/api": net/http: TLS handshake timeout',
        "rpc error: code = Unavailable desc = etcdserver: leader changed",
    ],
)
async def test_an_api_that_was_away_for_a_moment_is_tried_again(execute, make, tmp_path: Path, words: str) -> None:
    """Seen in the lab: the address moved while `kubeadm upgrade` was at its last step."""
    (tmp_path / "words").write_text(words + "\n")
    with pytest.raises(ApiLost) as caught:
        await execute(make["command"]("upgrade", f"cat {tmp_path}/words >&2; exit 1", tmp_path / "done"))
    assert caught.value.transient


async def test_a_post_mortem_tells_more_and_changes_nothing_of_the_rest(execute, tmp_path: Path) -> None:
    broken = Command(
        "join",
        ("sh", "-c", 'echo "error: $A is not started" >&2; exit 1', "etcd"),
        environment=(("A", "member 1"),),
        only_if=("true",),
        creates=str(tmp_path / "done"),
        post_mortem=("sh", "-c", 'echo "the last words of $0:" "$1"; echo dial tcp: timeout >&2', "etcd", "no peer"),
    )
    with pytest.raises(OperationFailed) as caught:
        await execute(broken)
    said = "it ended with status 1: error: member 1 is not started; the last words of etcd: no peer"
    assert caught.value.message == f"join failed: {said}"
    assert not caught.value.transient


@pytest.mark.parametrize("words", ["dial tcp: lookup api.example.org: no such host", "port 6443 is in use"])
async def test_what_will_not_pass_is_not_tried_again(execute, make, tmp_path: Path, words: str) -> None:
    with pytest.raises(OperationFailed) as caught:
        await execute(make["command"]("upgrade", f"echo '{words}' >&2; exit 1", tmp_path / "done"))
    assert not caught.value.transient


async def test_a_full_disk_has_its_own_remedy(execute, make, tmp_path: Path) -> None:
    full = make["command"]("write", "echo 'sh: write error: No space left on device' >&2; exit 1", tmp_path / "x")
    with pytest.raises(OperationFailed, match="No space left on device") as caught:
        await execute(full)
    assert caught.value.remedy == "free space on the host, then resume the run"


async def test_a_refusal_is_no_failure_of_the_host(execute, make, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OperationFailed, match=r"folder is refused: .* is a directory, not a file"):
        await execute(make["file"](tmp_path / "folder"))


async def test_a_secret_reaches_the_host_and_no_event_and_no_error(execute, make, told, tmp_path: Path) -> None:
    there = tmp_path / "token"
    leak = make["command"]("leak", f"cat {there} >&2; exit 1", tmp_path / "never")
    with pytest.raises(OperationFailed) as caught:
        await execute(make["file"](there, SecretRef("token")), leak)
    assert there.read_text() == SECRET
    assert told
    assert SECRET not in repr(told)
    assert SECRET not in MASKER.mask(str(caught.value.problem()))


async def test_a_secret_that_is_gone_stops_before_the_host_is_touched(execute, make, bench, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await execute(make["file"](tmp_path / "x", SecretRef("gone")))
    assert bench.pool.host("alpha").scripts == []


async def test_the_stop_file_ends_it_between_operations(execute, make, bench, told, tmp_path: Path) -> None:
    stop = bench.pool.host("alpha").folder / "volatile" / f"raijin.stop.{TOKEN}"
    one, two = tmp_path / "one", tmp_path / "two"
    first = make["command"]("first", f": >{one}; : >{stop}", one)
    with pytest.raises(Cancelled, match="stopped after 1 of 3 operations") as caught:
        await execute(first, make["file"](two), make["file"](tmp_path / "three"))
    assert caught.value.host == "alpha"
    assert (one.exists(), two.exists()) == (True, False)
    assert [state for _, state in operations(told)] == ["started", "changed", "cancelled", "cancelled"]


async def test_a_stopped_program_leaves_no_stop_file(execute, runner, make, bench, tmp_path: Path) -> None:
    await runner.stop("alpha")
    with pytest.raises(Cancelled):
        await execute(make["file"](tmp_path / "one"))
    assert list((bench.pool.host("alpha").folder / "volatile").iterdir()) == []


async def test_asking_to_stop_writes_the_file_of_this_run(runner, bench) -> None:
    await runner.stop("alpha")
    assert [p.name for p in (bench.pool.host("alpha").folder / "volatile").iterdir()] == [f"raijin.stop.{TOKEN}"]


async def test_a_program_that_has_ended_leaves_nothing_temporary(execute, make, bench, tmp_path: Path) -> None:
    await execute(make["file"](tmp_path / "one"))
    host = bench.pool.host("alpha").folder
    assert list((host / "volatile").iterdir()) == []
    assert not list((host / "state").rglob("*.tmp"))


async def test_another_program_on_the_host_is_waited_for_and_then_said(
    execute, make, bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program_module, "LOCK_WAIT_SECONDS", 0)
    state = bench.pool.host("alpha").folder / "state"
    state.mkdir()
    with (state / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OperationFailed, match="another Raijin program still runs on the host") as caught:
            await execute(make["file"](tmp_path / "one"))
    assert "resume" in (caught.value.remedy or "")
    await execute(make["file"](tmp_path / "one"))


async def test_a_host_that_cannot_keep_state_says_so(execute, make, bench, tmp_path: Path) -> None:
    (bench.pool.host("alpha").folder / "state").write_text("a file where the folder should be")
    with pytest.raises(OperationFailed, match=r"cannot be written \(is the disk full or read-only\?\)"):
        await execute(make["file"](tmp_path / "one"))
    assert not (tmp_path / "one").exists()


async def test_a_lost_host_is_connected_anew(execute, make, bench, tmp_path: Path) -> None:
    bench.pool.host("alpha").broken = HostUnreachable("lost", host="alpha")
    with pytest.raises(HostUnreachable):
        await execute(make["file"](tmp_path / "one"))
    assert bench.pool.forgotten == ["alpha"]


def answering(bench, *outputs: str, status: int = 0) -> list[str]:
    """Make the host answer these outputs, one per execution; the scripts that it got."""
    host, answers, got = bench.pool.host("alpha"), list(outputs), []

    async def run(script: str, *, on_line: Callable[[str], None] | None = None, **_: object) -> Completed:
        got.append(script)
        text = answers.pop(0)
        for line in text.splitlines():
            if on_line:
                on_line(line)
        return Completed(status, text, "Killed", 0.1)

    host.run = run
    return got


STARTED, CHANGED = '{"op":%d,"state":"started","ms":0}\n', '{"op":%d,"state":"changed","ms":1}\n'


@pytest.mark.parametrize(
    "output",
    [
        "",
        STARTED % 0,
        STARTED % 0 + CHANGED % 0,
        STARTED % 0 + CHANGED % 0 + STARTED % 1,
    ],
    ids=["silence", "in-the-first", "after-the-first", "in-the-last"],
)
async def test_a_program_that_was_killed_is_not_done(execute, make, bench, tmp_path: Path, output: str) -> None:
    """The out-of-memory killer, a shutdown: whatever was said before, the program has not ended."""
    answering(bench, output, status=137)
    with pytest.raises(OperationFailed, match="ended early") as caught:
        await execute(make["file"](tmp_path / "one"), make["file"](tmp_path / "two"))
    assert "Killed" in (caught.value.detail or "")


async def test_what_else_the_host_prints_is_not_taken_for_a_report(execute, make, bench, tmp_path: Path) -> None:
    banner = 'Welcome!\n{"op":"x"}\n{"op":0}\n{"op":9,"state":"nonsense","ms":0}\n{"op":0,"state":"ok"\n'
    answering(bench, banner + CHANGED % 0)
    await execute(make["file"](tmp_path / "one"))


async def test_after_a_reboot_the_program_is_run_again(execute, make, bench, told, tmp_path: Path) -> None:
    boots = iter([b"one", b"one", b"two", b"two"])
    host = bench.pool.host("alpha")

    async def read(path: str) -> bytes:
        assert path == "/proc/sys/kernel/random/boot_id"
        return next(boots)

    host.read = read
    rebooting = '{"op":0,"state":"rebooting","ms":0}\n{"op":1,"state":"skipped","ms":0}\n'
    got = answering(bench, rebooting, '{"op":0,"state":"ok","ms":0}\n' + CHANGED % 1)
    await execute(Reboot(), make["file"](tmp_path / "one"))
    assert len(got) == 2
    assert got[0] == got[1]
    assert "alpha" in bench.pool.forgotten
    assert any("it has not gone down yet" in str(event.data) for event in told)


# -- what a program needs on the host --

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="what Raijin installs belongs to root")


@needs_root
async def test_a_file_is_sent_once_and_only_where_it_is_missing(execute, bench, told, tmp_path: Path) -> None:
    source, there, other = tmp_path / "source", tmp_path / "kubelet", tmp_path / "other"
    source.write_bytes(b"#!/bin/sh\n" * 100)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    bench.files[digest] = source
    same = (Install(str(there), digest, "kubelet 1"), Install(str(other), digest, "kubelet 1"))
    await execute(*same)
    assert there.read_bytes() == other.read_bytes() == source.read_bytes()
    sent = [event.data for event in told if event.kind is Kind.TRANSFER]
    assert sent == [{"name": "kubelet 1", "bytes": 1000, "size": 1000}]
    stage = bench.pool.host("alpha").folder / "state" / "stage"
    assert list(stage.iterdir()) == []
    told.clear()
    bench.files.clear()
    await execute(*same)
    assert [event.kind for event in told] == [Kind.OPERATION] * 2


@needs_root
async def test_what_a_killed_run_has_sent_is_not_sent_again(execute, bench, told, tmp_path: Path) -> None:
    content = b"binary" * 100
    digest = hashlib.sha256(content).hexdigest()
    stage = bench.pool.host("alpha").folder / "state" / "stage"
    stage.mkdir(parents=True)
    (stage / digest).write_bytes(content)
    (tmp_path / "source").write_bytes(content)
    bench.files[digest] = tmp_path / "source"
    await execute(Install(str(tmp_path / "there"), digest, "tool 1"))
    assert not [event for event in told if event.kind is Kind.TRANSFER]
    assert (tmp_path / "there").read_bytes() == content


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("doing\nerror: no such host\n", "error: no such host"),
        ("error: x\nTo see the stack trace of this error execute with --v=5 or higher\n", "error: x"),
        (
            (
                "[preflight] Running\n\t[ERROR Port-6443]: Port 6443 is in use\n\t[ERROR Swap]: swap is on\n"
                "error: error execution phase preflight: preflight checks failed\n"
            ),
            "[ERROR Port-6443]: Port 6443 is in use; [ERROR Swap]: swap is on",
        ),
        ("", ""),
    ],
)
def test_the_last_words_say_why(output: str, words: str) -> None:
    assert last_words(output) == words
