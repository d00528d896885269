"""What holds for every program: cut short it does nothing, killed it leaves old or new, and values survive quoting."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raijin.operations.archive import Archive
from raijin.operations.base import Operation
from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.forget import Forget
from raijin.operations.install import Install
from raijin.operations.line import Line
from raijin.operations.program import Mode
from raijin.operations.restore import Restore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.operations.conftest import Host

OLD = "old content\n" * 100
NEW = "new content\n" * 100
BINARY = b"\x7fELF" * 4000
ARCHIVE = {"bin/bridge": "bridge 1", "bin/new": "new 1"}
HOSTS = "127.0.0.1 localhost\n10.0.0.9 w1\n"


def before(host: Host) -> None:
    host.write("etc/conf", OLD, 0o640)
    host.write("etc/hosts", HOSTS)
    host.write("bin/kubelet", b"old", 0o755)
    host.write("bin/bridge", "bridge 0")


def program(host: Host) -> list[Operation]:
    return [
        Claim("lab"),
        Directory(host.path("etc/new/deep"), mode="700"),
        File(host.path("etc/conf"), NEW),
        File(host.path("etc/new/file"), NEW, mode="600"),
        Line(host.path("etc/hosts"), "10.0.0.1 w1", match="w1$"),
        Install(host.path("bin/kubelet"), host.stage(BINARY), "kubelet"),
        Archive(host.path("bin"), host.stage(host.tarball(ARCHIVE)), "x.tgz", strip=1),
    ]


def test_a_script_cut_short_executes_nothing(host: Host) -> None:
    before(host)
    script = host.script(*program(host))
    whole = script[: script.rindex("\nraijin_program") + 1]
    tree = host.all()
    for end in [*range(0, len(whole), max(1, len(whole) // 60)), *range(len(whole) - 40, len(whole) + 12)]:
        done = host.execute(script[:end])
        assert '{"op"' not in done.stdout
    assert host.all() == tree


# Each step of a kill test is a whole life of a host; dash, which most hosts run, gets most of them.
STEPS = {"dash": 2, "bash": 9, "busybox": 7}

# What a program starts: each is counted, and the one with the wanted number kills the whole program.
TOOLS = ("mv", "cp", "rm", "mkdir", "rmdir", "chmod", "chown", "stat", "sha256sum", "cat", "tar", "find", "mktemp")


def arm(host: Host, fatal: int) -> None:
    """The `fatal`-th process that the next program starts kills it before doing anything."""
    counter, limit = host.folder / "count", host.folder / "fatal"
    counter.write_text("0")
    limit.write_text(str(fatal))
    for name in TOOLS:
        real = shutil.which(name)
        host.tool(
            name,
            f"read n <{counter}; n=$((n + 1)); echo $n >{counter}; read f <{limit}\n"
            f'[ "$n" != "$f" ] || kill -9 0\nexec {real} "$@"\n',
        )


def run_in_a_group(host: Host, script: str) -> int:
    done = subprocess.run(
        [*host.prefix, *host.shell],
        input=script,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    return done.returncode


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_program_leaves_old_or_new_and_is_finished_by_the_next(
    tmp_path: Path, shell: list[str], host_in: Callable[[Path], Host]
) -> None:
    """Killed before one of the processes that it starts, and that for all of them in turn."""
    killed = 0
    for fatal in range(1, 300, STEPS[shell[0]]):
        host = host_in(tmp_path / str(fatal))
        before(host)
        tree = host.tree()
        operations = program(host)
        arm(host, fatal)
        status = run_in_a_group(host, host.script(*operations))
        shutil.rmtree(host.tools)
        host.tools.mkdir()
        if status == 0:
            break
        killed += 1
        assert (host.root / "etc/conf").read_text() in {OLD, NEW}
        assert (host.root / "bin/kubelet").read_bytes() in {b"old", BINARY}
        assert (host.root / "bin/bridge").read_text() in {"bridge 0", "bridge 1"}
        program(host)  # the payloads are delivered again
        done = host.run(*operations)
        assert set(done.states) <= {"ok", "changed"}, (fatal, done.reports)
        assert set(host.run(*operations).states) == {"ok"}
        assert not list(host.root.rglob("*raijin*")), fatal
        assert host.restore().state == "changed"
        assert host.tree() == tree, fatal
        shutil.rmtree(host.folder)
    assert killed > 50 // STEPS[shell[0]]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_restore_is_finished_by_the_next(
    tmp_path: Path, shell: list[str], host_in: Callable[[Path], Host]
) -> None:
    for fatal in range(1, 300, STEPS[shell[0]]):
        host = host_in(tmp_path / str(fatal))
        before(host)
        tree = host.tree()
        assert set(host.run(*program(host)).states) == {"changed"}
        arm(host, fatal)
        status = run_in_a_group(host, host.script(Restore()))
        shutil.rmtree(host.tools)
        host.tools.mkdir()
        assert host.restore().state in {"changed", "ok"}
        assert host.tree() == tree, fatal
        if status == 0:
            break
        shutil.rmtree(host.folder)
    assert fatal > 20, "it started fewer processes than it has receipts"


def test_a_stop_file_ends_it_between_two_operations(host: Host) -> None:
    stop = Path(f"/run/raijin.stop.{host.folder.name}")
    if not os.access("/run", os.W_OK):
        pytest.skip("needs a writable /run")
    try:
        stopping = Command("stop", ("touch", str(stop)), creates=str(stop))
        done = host.run(File(host.path("a"), "x"), stopping, File(host.path("b"), "x"), File(host.path("c"), "x"))
        assert done.states == ["changed", "changed", "cancelled", "cancelled"]
        assert not (host.root / "b").exists()
    finally:
        stop.unlink(missing_ok=True)


def test_two_programs_wait_for_each_other(host: Host) -> None:
    """The second one finds what the first one did, not half of it."""
    slow = Command("slow", ("sh", "-c", 'mkdir "$0" && sleep 1', host.path("x")), marker="slow")
    scripts = [host.script(slow, File(host.path("a"), "x"))] * 2
    outputs: list[str] = []
    threads = [threading.Thread(target=lambda s=s: outputs.append(host.execute(s).stdout)) for s in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = sorted(output.count('"changed"') for output in outputs)
    assert counts == [0, 2], outputs


def test_a_held_lock_is_reported(host: Host) -> None:
    host.base.mkdir()
    with (host.base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = host.script(File(host.path("a"), "x")).replace("LOCK_WAIT=600", "LOCK_WAIT=1")
        done = host.execute(script)
    assert done.returncode == 96
    assert done.stdout == '{"op":-1,"state":"locked","ms":0}\n'


def test_output_that_nobody_reads_stops_it_at_the_next_operation(host: Host) -> None:
    read, write = os.pipe()
    os.close(read)
    script = host.script(*(File(host.path(name), "x") for name in "abc"))
    subprocess.run([*host.prefix, *host.shell], input=script, text=True, stdout=write, stderr=-3, check=False)
    os.close(write)
    assert sorted(path.name for path in host.root.iterdir()) == ["a"]


def test_a_failed_receipt_does_not_keep_the_others_from_being_played(host: Host) -> None:
    before(host)
    tree = host.tree()
    assert set(host.run(*program(host)).states) == {"changed"}
    (receipt,) = (host.base / "receipts/lab").glob("*-file:*etc,conf")
    (receipt / "original").unlink()
    failed = host.restore()
    assert failed.state == "failed"
    assert failed.reason == f"could not put back: file {host.path('etc/conf')}"
    left = [path.name for path in (host.base / "receipts/lab").iterdir() if path.is_dir()]
    assert left == [receipt.name]
    assert {name: entry for name, entry in host.tree().items() if name != "etc/conf"} == {
        name: entry for name, entry in tree.items() if name != "etc/conf"
    }


def test_restoring_and_forgetting_leave_nothing(host: Host) -> None:
    before(host)
    tree = host.tree()
    operations = program(host)
    assert set(host.run(*operations).states) == {"changed"}
    both = (Restore(), Forget())
    assert host.check(*both).states == ["would-change", "would-change"]
    assert host.run(*both).states == ["changed", "changed"]
    assert host.tree() == tree
    assert not host.base.exists()
    assert host.check(*both).states == ["ok", "ok"]
    assert host.run(*both).states == ["ok", "ok"]
    assert not host.base.exists()


def test_forgetting_waits_for_the_others(host: Host) -> None:
    """Two scopes on one host: the state folder goes with the last one."""
    assert host.run(File(host.path("a"), "x")).states == ["changed"]
    other = host.script(File(host.path("b"), "x"), Restore(), Forget()).replace("SCOPE=lab", "SCOPE=shop")
    assert host.execute(other).stdout.count('"changed"') == 2
    assert (host.base / "receipts/lab").is_dir()
    assert host.run(Forget()).states == ["failed"]
    assert host.run(Restore(), Forget()).states == ["changed", "changed"]


# A path on Linux is any bytes but / and NUL; values reach us as text, so lone surrogates cannot occur.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=200)
NAMES = TEXTS.map(lambda text: text.replace("/", "")[:40]).filter(lambda text: text not in {"", ".", ".."})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, TEXTS, min_size=1, max_size=8))
def test_any_path_and_content_survive_the_way(host: Host, files: dict[str, str]) -> None:
    shutil.rmtree(host.base, ignore_errors=True)
    shutil.rmtree(host.root)
    host.root.mkdir()
    operations = [File(host.path(f"f{name}"), content) for name, content in files.items()]
    assert set(host.check(*operations).states) == {"would-change"}
    done = host.run(*operations)
    assert set(done.states) == {"changed"}, done.reports
    found = {path.name[1:]: path.read_bytes().decode() for path in host.root.iterdir()}
    assert found == files
    assert set(host.check(*operations).states) == {"ok"}
    for operation in operations:
        Path(operation.path).write_bytes(b"before\n")
    shown = host.check(*operations).reports
    assert [change.after for report in shown for change in report.changes] == list(files.values())
    assert host.restore().state == "changed"
    assert not list(host.root.iterdir())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(TEXTS.filter(lambda text: not {"\n", "\r"} & set(text)).filter(bool), min_size=1, max_size=5, unique=True)
)
def test_any_line_survives_the_way(host: Host, lines: list[str]) -> None:
    shutil.rmtree(host.base, ignore_errors=True)
    path = host.write("lines", "first\nlast")
    operations = [Line(str(path), line) for line in lines]
    assert set(host.run(*operations).states) <= {"changed", "ok"}
    wanted = dict.fromkeys(["first", "last", *lines])
    assert path.read_bytes().decode() == "\n".join(wanted) + "\n"
    host.restore()
    assert path.read_text() == "first\nlast"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, max_size=6), TEXTS)
def test_any_argument_and_variable_reach_a_command(host: Host, words: list[str], value: str) -> None:
    shutil.rmtree(host.base, ignore_errors=True)
    out = host.root / "out"
    out.unlink(missing_ok=True)
    argv = ("sh", "-c", 'f=$1; shift; printf "%s\\0" "$V" "$@" >"$f"', "sh", str(out), *words)
    assert host.run(Command("x", argv, creates=str(out), environment=(("V", value),))).states == ["changed"]
    assert out.read_bytes().decode().split("\0")[:-1] == [value, *words]


def test_a_check_of_everything_writes_nothing(host: Host) -> None:
    before(host)
    operations = program(host)
    tree = host.all()
    assert set(host.run(*operations, mode=Mode.CHECK).states) == {"would-change"}
    assert host.all() == tree
