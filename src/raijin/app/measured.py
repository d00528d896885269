"""What a server has measured of its clusters, and what follows from it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.app.utilisation import collect, look, performance, room, usage, usage_now, usual
from raijin.state.samples import HOUR, Samples
from raijin.state.snapshot import read_members

if TYPE_CHECKING:
    from raijin.app.service import Service
    from raijin.app.session import Session


@dataclass(frozen=True, slots=True)
class Measured:
    service: Service

    async def collect(self, name: str) -> None:
        """Look at what a cluster uses, and keep it. On the loop of the engine; what reads files is done beside it."""
        session = await asyncio.to_thread(self._made, name)
        if session is not None:
            await collect(session)

    def _made(self, name: str) -> Session | None:
        """None where there is no cluster: nobody is asked, and its definition is not even read. What was kept of one
        that has ended goes, so that another of its name does not begin with it.
        """
        session, samples = self.service.session(name), Samples(self.service.database)
        if not read_members(session.home, name):
            if samples.collected(name) is not None:
                samples.forget(name)
            return None
        _ = session.cluster  # its files are read here, on this thread
        return session

    async def utilisation(self, name: str, *, hours: float, node: str, now: bool) -> dict[str, Any]:
        """What a cluster uses, as it was collected; now: asked now. Raises NotFound, HostError, KubernetesError."""
        service = self.service
        await asyncio.to_thread(service.store.cluster, name)
        found = await asyncio.to_thread(usage, service.database, name, hours=hours, node=node)
        if now:
            seen = await service.background.result(look(service.session(name)))
            found = usage_now(name, seen, found.history)
        return found.to_json()

    def baseline(self, name: str, *, days: float) -> dict[str, Any]:
        """What is usual for a cluster. Raises NotFound."""
        self.service.store.cluster(name)
        return {"cluster": name, **usual(self.service.database, name, days=days).to_json()}

    async def capacity(self, name: str, *, now: bool) -> dict[str, Any]:
        """Whether there is room, and what to do. Raises NotFound, HostError, KubernetesError."""
        service = self.service
        await asyncio.to_thread(service.store.cluster, name)
        seen = await service.background.result(look(service.session(name))) if now else None
        return (await asyncio.to_thread(room, service.database, name, seen)).to_json()

    async def judged(self, name: str, report: dict[str, Any]) -> dict[str, Any]:
        """A report of health, and what is to be said of the performance. Raises NotFound."""
        await asyncio.to_thread(self.service.store.cluster, name)
        found = await asyncio.to_thread(performance, self.service.database, name)
        bad = any(finding.grade.bad for finding in found)
        findings = [*report["findings"], *(finding.to_json() for finding in found)]
        verdict = report["verdict"] if report["findings"] else "not known" if bad else "healthy"
        return {**report, "healthy": report["healthy"] and not bad, "verdict": verdict, "findings": findings}

    def numbers(self) -> dict[str, dict[str, float]]:
        """For metrics: what clusters used when they were looked at last, within the hour, of what is allocatable."""
        last = Samples(self.service.database).totals(since=time.time() - HOUR)
        return {
            "raijin_cluster_cpu_used_ratio": {n: m.cpu_used / m.cpu_size for n, m in last.items() if m.cpu_size},
            "raijin_cluster_memory_used_ratio": {
                n: m.memory_used / m.memory_size for n, m in last.items() if m.memory_size
            },
        }
