"""Hosts that are folders: what Raijin sends them runs in a local shell, and touches nothing outside the folder."""

from __future__ import annotations

import asyncio
import getpass
import grp
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from raijin.engine import runner
from raijin.engine.service import Engine
from raijin.errors import RaijinError
from raijin.facts.raijin import STATE_FOLDER
from raijin.model.policy import OnHostFailure
from raijin.observe.events import Event, Events
from raijin.operations.command import Command
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.plan.handlers import CallContext
from raijin.plan.model import Call, Plan, Retry, Step
from raijin.state.runs import RunRecord
from raijin.transport import delivery, local
from raijin.transport.base import Completed

USER, GROUP = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name


class FolderHost:
    """`Connection` to a host that is a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.scripts: list[str] = []
        self.broken: RaijinError | None = None
        self.hang: asyncio.Event | None = None
        (folder / "volatile").mkdir(parents=True)

    def inside(self, text: str) -> str:
        text = text.replace(STATE_FOLDER, str(self.folder / "state"))
        return text.replace("/run/raijin", str(self.folder / "volatile" / "raijin"))

    async def run(
        self,
        script: str,
        *,
        root: bool = True,
        timeout: float | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        del root
        self.scripts.append(script)
        if self.hang is not None:
            await self.hang.wait()
        if self.broken is not None:
            raise self.broken
        script = self.inside(script)
        return await local.run(["sh", "-s"], stdin=script.encode(), timeout=timeout, check=False, on_line=on_line)

    async def push(
        self,
        source: Path,
        destination: str,
        *,
        sha256: str,
        mode: int = 0o644,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        there = Path(self.inside(destination))
        await asyncio.to_thread(delivery.atomic_copy, source, there, sha256, mode, self.name)
        if progress:
            progress(source.stat().st_size)

    async def read(self, path: str) -> bytes:
        return Path(self.inside(path)).read_bytes()

    @asynccontextmanager
    async def tunnel(self, host: str, port: int):
        yield host, port

    async def close(self) -> None:
        return


class FolderPool:
    """`Pool` of such hosts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: dict[str, FolderHost] = {}
        self.forgotten: list[str] = []

    def host(self, name: str) -> FolderHost:
        if name not in self.hosts:
            self.hosts[name] = FolderHost(name, self.folder / name)
        return self.hosts[name]

    def knows(self, name: str) -> bool:
        return bool(name)

    async def get(self, name: str) -> FolderHost:
        return self.host(name)

    async def forget(self, name: str) -> None:
        self.forgotten.append(name)

    async def close(self) -> None:
        return


@dataclass
class Bench:
    """An engine on folders. Calls go to `act`, which notes them and does what the test has put into `does`."""

    home: Path
    engine: Engine
    pool: FolderPool
    files: dict[str, Path]
    done: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    does: dict[str, Callable[[CallContext], Awaitable[None]]] = field(default_factory=dict)

    async def act(self, context: CallContext) -> None:
        name = context.text("name")
        self.done.append(name)
        if name in self.does:
            await self.does[name](context)

    async def locate(self, sha256: str) -> Path:
        return self.files[sha256]

    async def start(self, *steps: Step, policy: OnHostFailure = OnHostFailure.STOP, cluster: str = "lab") -> RunRecord:
        return await self.engine.start(Plan("apply", cluster, steps), self.pool, self.locate, policy)

    async def resume(self, run: str = "latest") -> RunRecord:
        return await self.engine.resume(run, self.pool, self.locate)

    def states(self, run: str = "latest") -> dict[str, str]:
        record = self.engine.runs.get(run)
        return {step.step: str(step.state) for step in self.engine.runs.steps(record.id)}


@pytest.fixture
def bench(tmp_path: Path, home: Path, database, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(runner, "FIRST_PAUSE_SECONDS", 0.01)
    handlers: dict[str, Callable[[CallContext], Awaitable[None]]] = {}
    events: list[Event] = []
    engine = Engine(home, database, handlers, Events(events.append))
    made = Bench(home, engine, FolderPool(tmp_path / "hosts"), {}, events=events)
    handlers["act"] = made.act
    return made


def call(name: str, *needs: str, target: str = "alpha", **more: object) -> Step:
    """A step that calls `act`; its id is its name."""
    return Step(name, "stage", target, f"do {name}", Call("act", {"name": name}), needs, **more)  # type: ignore[arg-type]


def program(name: str, *operations: object, needs: tuple[str, ...] = (), target: str = "alpha", **more: object) -> Step:
    return Step(name, "stage", target, f"do {name}", Program(name, "lab", tuple(operations)), needs, **more)  # type: ignore[arg-type]


def file(path: Path, content: object = "content\n") -> File:
    return File(str(path), content, owner=USER, group=GROUP)  # type: ignore[arg-type]


def command(title: str, script: str, creates: Path) -> Command:
    return Command(title, ("sh", "-c", script), creates=str(creates))


@pytest.fixture
def make() -> Mapping[str, Callable[..., object]]:
    """The builders of steps and operations (test modules cannot import a conftest)."""
    return {"call": call, "program": program, "file": file, "command": command, "never": lambda: Retry.NEVER}
