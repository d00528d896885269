"""The open connections of one command: each host is connected once, by whoever asks first, and kept until the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from raijin.errors import HostUnreachable, NotFound
from raijin.transport.base import Connection
from raijin.transport.local import LocalConnection
from raijin.transport.okd import OkdConnection, OkdTarget
from raijin.transport.talos import TalosConnection, TalosTarget
from raijin.transport.twin import Machine, TwinConnection

if TYPE_CHECKING:
    from raijin.transport.ssh import SshConnection, SshTarget


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """This machine, under the name that the definition gives it."""

    name: str
    become_password: str | None = None


@dataclass(frozen=True, slots=True)
class TwinTarget:
    """A simulated machine of a rehearsal."""

    machine: Machine


Target: TypeAlias = "SshTarget | LocalTarget | TalosTarget | OkdTarget | TwinTarget"


class Pool:
    """Connections by host name. `limit`: how many hosts may be in the middle of connecting at the same time."""

    def __init__(self, targets: Mapping[str, Target], *, limit: int = 64) -> None:
        self._targets = dict(targets)
        self._slots = asyncio.Semaphore(limit)
        self._opening: dict[str, asyncio.Task[Connection]] = {}

    def knows(self, name: str) -> bool:
        return name in self._targets

    @property
    def targets(self) -> Mapping[str, Target]:
        return self._targets

    def learn(self, targets: Mapping[str, Target]) -> None:
        """More hosts. One that is known already keeps its connection, so it must be reached in the same way."""
        self._targets |= targets

    def expect(self, names: Iterable[str]) -> None:
        """Begin to connect to hosts that will be asked for soon."""
        for name in names:
            if name not in self._opening:
                self._opening[name] = asyncio.create_task(self._open(name))

    async def get(self, name: str) -> Connection:
        """The connection to a host, opened at the first call. A failed attempt is not remembered."""
        task = self._opening.get(name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(self._open(name))
            self._opening[name] = task
        return await asyncio.shield(task)

    async def forget(self, name: str) -> None:
        """Close a host's connection, so that the next `get` opens a new one (after a reboot, say)."""
        task = self._opening.pop(name, None)
        if task is not None and task.done() and not task.cancelled() and task.exception() is None:
            await task.result().close()

    async def _open(self, name: str) -> Connection:
        target = self._targets.get(name)
        if target is None:
            raise NotFound(f"no host {name} is known", remedy="look at the hosts of the Site document")
        if isinstance(target, LocalTarget):
            return LocalConnection(name, sudo_password=target.become_password)
        if isinstance(target, TalosTarget):
            return TalosConnection(target)
        if isinstance(target, OkdTarget):
            return OkdConnection(target, lambda: self._log_in(target))
        if isinstance(target, TwinTarget):
            await target.machine.reach()
            return TwinConnection(target.machine)
        return await self._open_ssh(target)

    async def _log_in(self, target: OkdTarget) -> Connection:
        if target.machine is None:
            return await self._open_ssh(target.ssh)
        await target.machine.reach()
        return TwinConnection(target.machine)

    async def _open_ssh(self, target: SshTarget) -> Connection:
        # asyncssh costs a quarter of a second to import: only those who connect pay for it.
        from raijin.transport.ssh import SshConnection, connect  # noqa: PLC0415

        via: SshConnection | None = None
        if target.jump:
            through = await self.get(target.jump)
            if not isinstance(through, SshConnection):
                raise HostUnreachable(f"the jump host {target.jump} is not an SSH host", host=target.name)
            via = through
        async with self._slots:
            return await connect(target, via=via)

    async def close(self) -> None:
        tasks, self._opening = self._opening, {}
        for task in tasks.values():
            if not task.done():
                task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        opened = [t.result() for t in tasks.values() if t.done() and not t.cancelled() and t.exception() is None]
        await asyncio.gather(*(connection.close() for connection in opened))
