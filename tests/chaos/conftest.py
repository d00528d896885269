"""An engine in a child process that can be killed at any instant, and the same again to see what is left to do.

Children are forks: they have imported everything already, so that a kill costs milliseconds. Work is done on folders.
"""

from __future__ import annotations

import asyncio
import getpass
import grp
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from raijin.engine import runner, service
from raijin.engine.service import Engine
from raijin.errors import HostUnreachable, OperationFailed, RaijinError
from raijin.facts.raijin import STATE_FOLDER
from raijin.model.policy import OnHostFailure
from raijin.observe.events import Events
from raijin.observe.waiting import until
from raijin.operations.base import SecretRef
from raijin.operations.command import Command
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.plan.handlers import CallContext
from raijin.plan.model import Call, Plan, Step
from raijin.state import locks as locks_module
from raijin.state.database import open_database
from raijin.state.runs import Runs
from raijin.state.secrets import SecretStore
from raijin.transport import local
from raijin.transport.base import Completed

USER, GROUP = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name


class FolderPool:
    """Every host is a folder; what is sent to it runs in a local shell."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, "host"

    async def get(self, name: str) -> FolderPool:
        host = FolderPool(self.folder / name)
        (host.folder / "volatile").mkdir(parents=True, exist_ok=True)
        return host

    async def run(self, script: str, *, root: bool = True, timeout: float | None = None, on_line=None) -> Completed:
        del root
        script = script.replace(STATE_FOLDER, f"{self.folder}/state").replace(
            "/run/raijin", f"{self.folder}/volatile/r"
        )
        return await local.run(["sh", "-s"], stdin=script.encode(), timeout=timeout, check=False, on_line=on_line)

    async def read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    async def forget(self, name: str) -> None:
        return

    async def close(self) -> None:
        return

    @asynccontextmanager
    async def tunnel(self, host: str, port: int):
        yield host, port


@dataclass
class Site:
    """A RAIJIN_HOME, its hosts, and a log of all that was ever done."""

    home: Path
    hosts: Path
    log: Path
    steps: tuple[Step, ...] = ()
    policy: OnHostFailure = OnHostFailure.STOP
    children: list[int] = field(default_factory=list)

    # -- in the child --

    def note(self, text: str) -> None:
        with self.log.open("a") as stream:
            stream.write(f"{text}\n")

    async def act(self, context: CallContext) -> None:
        """What the plans here do: note it, make a file, and what the name of the step says."""
        name = context.text("name")
        self.kill_at("begun", name)
        self.note(name)
        (self.hosts / name).write_text("done\n")
        self.kill_at("worked", name)
        if name.startswith("bad"):
            raise OperationFailed(f"{name} cannot be done", host=context.target, remedy="mend it", detail="long")
        if name.startswith("flaky") and self.done()[name] < 3:
            raise HostUnreachable("not now", host=context.target)
        if name.startswith("gone"):
            raise HostUnreachable("never", host=context.target)
        if name.startswith("gate"):

            async def opened() -> str:
                return "" if (self.hosts / "open").exists() else "it is closed"

            await until("the gate", opened, timeout=60, interval=0.01)

    def kill_at(self, point: str, name: str) -> None:
        if os.environ.get("KILL_AT") == f"{point}:{name}":
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self) -> None:
        """Put the kills into the engine, and make its clocks fast."""
        runner.FIRST_PAUSE_SECONDS, service.CANCEL_POLL_SECONDS = 0.01, 0.02

        async def lost(child: asyncio.subprocess.Process) -> None:
            """A connection that is dropped does not wait for the host, as a child process would be waited for."""
            child.kill()

        local._end = lost
        started, settle, create, finish = Runs.step_started, runner.Runner.settle, Runs.create, Runs.finish

        def killed_started(runs: Runs, run: str, step: str) -> None:
            started(runs, run, step)
            self.kill_at("started", step)

        def killed_settle(made: runner.Runner, step: str, error: RaijinError | None, *, seconds: float):
            self.kill_at("settling", step)
            outcome = settle(made, step, error, seconds=seconds)
            self.kill_at("settled", step)
            return outcome

        def killed_create(runs: Runs, *args: object, **more: object) -> None:
            create(runs, *args, **more)
            self.kill_at("created", "run")

        def killed_finish(runs: Runs, *args: object) -> None:
            self.kill_at("finishing", "run")
            finish(runs, *args)

        Runs.step_started, runner.Runner.settle = killed_started, killed_settle
        Runs.create, Runs.finish = killed_create, killed_finish

    async def work(self, verb: str) -> None:
        database = open_database(self.home)
        engine = Engine(self.home, database, {"act": self.act}, Events())
        pool, plan = FolderPool(self.hosts), Plan("apply", "lab", self.steps)
        if verb == "start":
            await engine.start(plan, pool, self.locate, self.policy)
        else:
            await engine.resume("latest", pool, self.locate)

    async def locate(self, sha256: str) -> Path:
        raise AssertionError(sha256)

    # -- in the test --

    def begin(self, verb: str, kill_at: str = "", lease: tuple[float, float] | None = None) -> int:
        """A child that starts or resumes the run; its pid."""
        pid = os.fork()
        if pid:
            self.children.append(pid)
            return pid
        code = 99
        try:
            os.environ["KILL_AT"] = kill_at
            sys.stderr = (self.home.parent / "stderr").open("a")
            if lease:
                locks_module.LEASE_SECONDS, service.RENEW_SECONDS = lease
            self.arm()
            asyncio.run(self.work(verb))
            code = 0
        except RaijinError as error:
            (self.home.parent / "error").write_text(str(error))
            code = error.exit_code
        except KeyboardInterrupt:
            code = 130
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def end(self, pid: int, *, within: float = 60) -> int:
        """Wait for the child; its exit code, or minus the signal that ended it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self.children.remove(pid)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise AssertionError(f"the child did not end; it said: {self.said()}")

    def run(self, verb: str, kill_at: str = "") -> int:
        code = self.end(self.begin(verb, kill_at))
        assert code != 99, self.said()
        return code

    def said(self) -> str:
        path = self.home.parent / "stderr"
        return path.read_text() if path.exists() else ""

    def error(self) -> str:
        return (self.home.parent / "error").read_text()

    def done(self) -> Counter[str]:
        return Counter(self.log.read_text().split()) if self.log.exists() else Counter()

    def until(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not what():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.01)

    def journal(self) -> tuple[str, dict[str, tuple[str, str]]]:
        """The state of the newest run, and of its steps with their errors' classes."""
        database = open_database(self.home)
        try:
            runs = Runs(database)
            record = runs.get("latest")
            steps = {s.step: (str(s.state), str((s.error or {}).get("type", ""))) for s in runs.steps(record.id)}
            return str(record.status), steps
        finally:
            database.dispose()

    def files(self) -> dict[str, str]:
        """What the work has left on the hosts, without receipts and locks."""
        found = (path for path in self.hosts.rglob("*") if path.is_file() and "state" not in path.parts)
        return {str(path.relative_to(self.hosts)): path.read_text() for path in found}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "home", tmp_path / "hosts", tmp_path / "log")
    made.hosts.mkdir()
    open_database(made.home).dispose()
    yield made
    for pid in made.children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def call(name: str, *needs: str, target: str = "alpha", **more: object) -> Step:
    return Step(name, "stage", target, f"do {name}", Call("act", {"name": name}), needs, **more)  # type: ignore[arg-type]


def program(name: str, operations: tuple[object, ...], *needs: str, target: str = "alpha") -> Step:
    return Step(name, "stage", target, f"do {name}", Program(name, "lab", operations), needs)  # type: ignore[arg-type]


def file(path: Path, content: object) -> File:
    return File(str(path), content, owner=USER, group=GROUP)  # type: ignore[arg-type]


@pytest.fixture
def make() -> Mapping[str, Callable[..., object]]:
    """The builders of steps and operations (test modules cannot import a conftest)."""
    return {
        "call": call,
        "program": program,
        "file": file,
        "command": Command,
        "secret": SecretRef,
        "store": SecretStore,
    }
