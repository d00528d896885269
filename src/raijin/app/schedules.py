"""What a server does by itself. The durable engine sees to it that each time is met once, by whichever runner."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.app.settings import ServerSettings
from raijin.errors import Locked, RaijinError

if TYPE_CHECKING:
    from raijin.app.service import Service

LOG = logging.getLogger("raijin.schedules")
WHO = "schedule"


def wanted(settings: ServerSettings) -> dict[str, str]:
    """Name -> cron line."""
    lines: Mapping[str, Any] = settings.schedules.model_dump()
    return {name: str(line) for name, line in lines.items() if line}


@dataclass(frozen=True, slots=True)
class Schedules:
    service: Service

    async def due(self, name: str, at: float) -> None:
        """For every cluster; one that cannot be served now does not stand in the way of the next."""
        for entry in self.service.store.clusters():
            try:
                await self._one(name, entry.name, at)
            except Locked as error:
                LOG.info("%s of %s is left out: %s", name, entry.name, error)
            except RaijinError as error:
                LOG.warning("%s of %s: %s", name, entry.name, error)

    async def _one(self, name: str, cluster: str, at: float) -> None:
        if name == "backup":
            await self._backup(cluster, at)
        elif name == "drift":
            await self.service.drift(cluster)

    async def _backup(self, cluster: str, at: float) -> None:
        """Once for that time, also when the runner that began with it has died and another does it again."""
        asked = {"who": WHO, "due": at}
        history = self.service.runs.history(cluster=cluster, limit=20)
        if not any((run.request or {}).get("due") == at and run.verb == "backup" for run in history):
            await self.service.ask_here(cluster, "backup", asked)
