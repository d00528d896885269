"""The wire of the rehearsal twin: the same seam as SSH, with a simulated machine at its end.

What the machine does is not known here (see the package `twin`): it is given each script whole, and answers as a host
would, line by line. Nothing here waits in real time, opens a socket or needs a right.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from raijin.errors import OperationFailed
from raijin.transport.base import ByteCounter, Completed, LineHandler


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a simulated API. path: without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """The answer: an HTTP status, and a document or a text."""

    status: int
    body: Mapping[str, Any] | str


class Machine(Protocol):
    """A simulated machine, seen over the wire. All of it raises HostUnreachable while the machine cannot be reached."""

    name: str

    async def reach(self) -> None:
        """Somebody connects."""
        ...

    async def execute(self, script: str, timeout: float | None, on_line: LineHandler | None) -> Completed: ...

    def receive(self, destination: str, sha256: str, size: int) -> None:
        """A file arrives whole."""
        ...

    def content(self, path: str) -> bytes:
        """Raises OperationFailed where there is no such file."""
        ...

    def way_to(self, address: str, port: int) -> Machine:
        """The machine that answers for an address, seen from this one. Raises OperationFailed when none does."""
        ...

    async def answer(self, port: int, asked: Asked) -> Told:
        """What listens on the port says. Raises ConnectionError when nothing does."""
        ...


class Inside(tuple[str, int]):
    """An address that leads into a simulated machine: whoever connects asks `machine` in place of a socket."""

    machine: Machine
    port: int

    def __new__(cls, machine: Machine, port: int) -> Self:
        made = super().__new__(cls, (machine.name, port))
        made.machine, made.port = machine, port
        return made


class TwinConnection:
    """An open way to a simulated machine."""

    def __init__(self, machine: Machine) -> None:
        self.name = machine.name
        self._machine = machine

    async def run(
        self,
        script: str,
        *,
        root: bool = True,
        timeout: float | None = None,
        on_line: LineHandler | None = None,
    ) -> Completed:
        del root  # every program of Raijin runs as root; a simulated machine knows no other user
        return await self._machine.execute(script, timeout, on_line)

    async def push(
        self, source: Path, destination: str, *, sha256: str, mode: int = 0o644, progress: ByteCounter | None = None
    ) -> None:
        """Nothing is sent: the machine notes that the file of this sha256 is there."""
        del mode
        await self._machine.reach()
        size = source.stat().st_size
        self._machine.receive(destination, sha256, size)
        if progress and size:
            progress(size)

    async def read(self, path: str) -> bytes:
        await self._machine.reach()
        return self._machine.content(path)

    async def pull(self, source: str, destination: Path, *, progress: ByteCounter | None = None) -> None:
        content = await self.read(source)
        try:
            destination.write_bytes(content)
            destination.chmod(0o600)
        except OSError as error:
            raise OperationFailed(f"cannot write {destination}: {error.strerror}", host=self.name) from error
        if progress:
            progress(len(content))

    @asynccontextmanager
    async def tunnel(self, host: str, port: int) -> AsyncIterator[tuple[str, int]]:
        await self._machine.reach()
        yield Inside(self._machine.way_to(host, port), port)

    async def close(self) -> None:
        """Nothing is open."""
