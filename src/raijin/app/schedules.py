"""What a server does by itself. The durable engine sees to it that each time is met once, by whichever runner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.app.settings import ServerSettings
from raijin.errors import Locked, RaijinError
from raijin.platforms.renewal import certificates_of
from raijin.state.snapshot import read_members

if TYPE_CHECKING:
    from raijin.app.service import Service
    from raijin.app.session import Session

LOG = logging.getLogger("raijin.schedules")
WHO = "schedule"
LOOKS_AT_A_TIME = 8
LOOK_SECONDS = 60.0
"""A cluster that gives no answer in this time is left out until the next time."""


def wanted(settings: ServerSettings) -> dict[str, str]:
    """Name -> cron line."""
    lines: Mapping[str, Any] = settings.schedules.model_dump()
    return {name: str(line) for name, line in lines.items() if line}


@dataclass(frozen=True, slots=True)
class Schedules:
    service: Service

    async def due(self, name: str, at: float) -> None:
        """For every cluster; one that cannot be served now does not stand in the way of the next."""
        if name == "utilisation":
            await self._look()
            return
        for entry in self.service.store.clusters():
            try:
                await self._one(name, entry.name, at)
            except Locked as error:
                LOG.info("%s of %s is left out: %s", name, entry.name, error)
            except RaijinError as error:
                LOG.warning("%s of %s: %s", name, entry.name, error)

    async def _one(self, name: str, cluster: str, at: float) -> None:
        if name == "backup":
            await self._once(cluster, "backup", at)
        elif name == "certificates" and await self._certificates_due(cluster):
            await self._once(cluster, "renew", at)
        elif name == "drift":
            await self.service.drift(cluster)
        elif name == "health":
            await self.service.known.look(cluster)

    async def _certificates_due(self, cluster: str) -> bool:
        """Whether a host has one that Raijin renews, and it is time. Raises RaijinError."""
        from raijin.app.certificates import due_rows, listing  # noqa: PLC0415

        session = await asyncio.to_thread(self._cared_for, cluster)
        if session is None:
            return False
        found = await listing(session)
        for fault in found.faults:
            LOG.warning("certificates of %s: %s", cluster, fault)
        self.service.known.certificates(cluster, found)
        return bool(due_rows(found))

    def _cared_for(self, cluster: str) -> Session | None:
        """None where there is no cluster, or nobody here looks after its certificates: no host is asked."""
        session = self.service.session(cluster)
        made = read_members(session.home, cluster)
        return session if made and certificates_of(session.cluster) is not None else None

    async def _look(self) -> None:
        """What clusters use, some side by side: a thousand of them have five minutes."""
        turn = asyncio.Semaphore(LOOKS_AT_A_TIME)

        async def one(cluster: str) -> None:
            async with turn:
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self.service.measured.collect(cluster)
                except TimeoutError:
                    LOG.warning("utilisation of %s: no answer within %s s", cluster, LOOK_SECONDS)
                except RaijinError as error:
                    LOG.warning("utilisation of %s: %s", cluster, error)

        await asyncio.gather(*(one(entry.name) for entry in self.service.store.clusters()))

    async def _once(self, cluster: str, verb: str, at: float) -> None:
        """Once for that time, also when the runner that began with it has died and another does it again."""
        asked = {"who": WHO, "due": at}
        history = self.service.runs.history(cluster=cluster, limit=20)
        if not any((run.request or {}).get("due") == at and run.verb == verb for run in history):
            await self.service.ask_here(cluster, verb, asked)
