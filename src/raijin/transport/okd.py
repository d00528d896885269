"""A machine of an OKD cluster: known by the API of its cluster, by what listens on it, and, where that helps, by SSH.

A machine that waits for its Ignition configuration answers nobody, and that is no fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from raijin.errors import NotFound, OperationFailed
from raijin.transport import local
from raijin.transport.base import ByteCounter, Completed, Connection, LineHandler
from raijin.transport.ignition import Offer, offering
from raijin.transport.private import private_file
from raijin.transport.twin import Inside, Machine

if TYPE_CHECKING:
    from raijin.transport.ssh import SshTarget

KUBECONFIG = "kept kubeconfig"
"""What is read in place of a path: the administrator's kubeconfig, which `openshift-install` made."""
PORT_SECONDS = 2.0
SECONDS = 60.0
INSTALLER_SECONDS = 600.0


@dataclass
class OkdAccess:
    """What all machines of a cluster share. tool: a verified program by name. kubeconfig: the kept one, empty without.

    kept: a kept secret by name, empty without. names: the DNS names that must resolve, by what they are. seen: what was
    seen of the cluster, and when, by the clock of this process.
    """

    cluster: str
    tool: Callable[[str], Awaitable[Path]]
    kubeconfig: Callable[[], str]
    kept: Callable[[str], str]
    names: Callable[[], Mapping[str, str]]
    seen: tuple[float, object] = (0.0, None)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def oc(self, *arguments: str, timeout: float = SECONDS) -> Completed:
        """`oc` as the administrator; a status other than 0 is a result. Raises DeadlineExceeded and NotFound."""
        text = self.kubeconfig()
        if not text:
            raise NotFound(f"no kubeconfig of {self.cluster} is kept here", remedy="use the RAIJIN_HOME that made it")
        tool = await self.tool("oc")
        with private_file(text) as path:
            return await local.run([str(tool), f"--kubeconfig={path}", *arguments], timeout=timeout, check=False)

    async def install(
        self, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = INSTALLER_SECONDS
    ) -> Completed:
        """`openshift-install`; a status other than 0 is a result. Raises DeadlineExceeded."""
        tool = await self.tool("openshift-install")
        return await local.run([str(tool), *arguments], timeout=timeout, env=env, check=False)

    # What is around the machines, seen from this one.

    async def open_ports(self, address: str, ports: Iterable[int]) -> frozenset[int]:
        """Those of these TCP ports that accept a connection."""
        return await open_ports(address, ports)

    async def resolved(self, name: str) -> tuple[tuple[str, ...], str]:
        """The addresses of a name; none, and why."""
        return await resolved(name)

    def way(self, address: tuple[str, int]) -> tuple[str, int]:
        """How the API is reached of which this is the address."""
        return address

    def offering(self, port: int, offers: Mapping[str, Offer]) -> AbstractAsyncContextManager[int]:
        """See `transport.ignition.offering`."""
        return offering(port, offers)


@dataclass(frozen=True, slots=True)
class OkdTarget:
    """address: where its ports are. ssh: how `core` logs in, once CoreOS runs.

    machine: what is there in a rehearsal.
    """

    name: str
    address: str
    access: OkdAccess
    ssh: SshTarget
    machine: Machine | None = None


class OkdConnection:
    """The seam of all hosts. log_in: opens SSH, which only few things need, and a new machine has not."""

    def __init__(self, target: OkdTarget, log_in: Callable[[], Awaitable[Connection]]) -> None:
        self.name = target.name
        self.address = target.address
        self.access = target.access
        self._machine = target.machine
        self._log_in = log_in
        self._ssh: Connection | None = None

    async def ssh(self) -> Connection:
        """Raises HostError."""
        if self._ssh is None:
            self._ssh = await self._log_in()
        return self._ssh

    async def run(
        self, script: str, *, root: bool = True, timeout: float | None = None, on_line: LineHandler | None = None
    ) -> Completed:
        return await (await self.ssh()).run(script, root=root, timeout=timeout, on_line=on_line)

    async def push(
        self, source: Path, destination: str, *, sha256: str, mode: int = 0o644, progress: ByteCounter | None = None
    ) -> None:
        await (await self.ssh()).push(source, destination, sha256=sha256, mode=mode, progress=progress)

    async def read(self, path: str) -> bytes:
        if path != KUBECONFIG:
            return await (await self.ssh()).read(path)
        text = self.access.kubeconfig()
        if not text:
            raise OperationFailed(
                f"no kubeconfig of {self.access.cluster} is kept here",
                host=self.name,
                remedy="use the RAIJIN_HOME that made the cluster",
            )
        return text.encode()

    async def pull(self, source: str, destination: Path, *, progress: ByteCounter | None = None) -> None:
        await (await self.ssh()).pull(source, destination, progress=progress)

    @asynccontextmanager
    async def tunnel(self, host: str, port: int) -> AsyncIterator[tuple[str, int]]:
        """Its ports are reached as they are."""
        if self._machine is not None:
            await self._machine.reach()
            yield Inside(self._machine.way_to(host, port), port)
            return
        yield (self.address if host in {"127.0.0.1", "localhost"} else host), port

    async def close(self) -> None:
        if self._ssh is not None:
            await self._ssh.close()


async def open_ports(address: str, ports: Iterable[int], *, timeout: float = PORT_SECONDS) -> frozenset[int]:
    """Those of these TCP ports that accept a connection."""

    async def one(port: int) -> int:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(address, port)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return port
        return 0

    return frozenset(await asyncio.gather(*(one(port) for port in ports))) - {0}


async def resolved(name: str) -> tuple[tuple[str, ...], str]:
    """The addresses of a name as this machine resolves it, sorted; none, and why."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return (), error.strerror or str(error)
    return tuple(sorted({str(entry[4][0]) for entry in found})), ""
