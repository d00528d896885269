"""How long a run would take on hosts like the simulated ones: every step's own time, put together as the engine would.

Programs count with the time that their hosts spent on them, calls with the plan's estimate.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from raijin.observe.events import Event, Kind
from raijin.plan.model import Plan
from raijin.twin.site import TwinSite

PARALLEL = 64
"""As many steps as the engine has in hand at the same time."""


@dataclass
class Timing:
    """A sink of events that notes what each step cost its host. ended, failed: how many steps have."""

    site: TwinSite
    plan: Plan | None = None
    spent: dict[str, float] = field(default_factory=dict)
    ended: int = 0
    failed: int = 0
    _began: dict[str, float] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        host = self.site.hosts.get(event.host)
        if event.kind is Kind.STEP_STARTED and host is not None:
            self._began.setdefault(event.step, host.seconds)
        elif event.kind is Kind.STEP_FINISHED:
            self.ended += 1
            self.failed += event.data["state"] == "failed"
            if host is not None and event.step in self._began:
                self.spent[event.step] = host.seconds - self._began[event.step]


def makespan(timing: Timing) -> float:
    """Seconds from the first step to the last, with at most PARALLEL steps at the same time."""
    if timing.plan is None:
        return 0.0
    ends: dict[str, float] = {}
    lanes = [0.0] * PARALLEL
    for step in timing.plan.steps:
        if step.id not in timing.spent:
            continue
        ready = max((ends.get(need, 0.0) for need in step.needs), default=0.0)
        took = timing.spent[step.id] or step.estimate
        begun = max(ready, heapq.heappop(lanes))
        ends[step.id] = begun + took
        heapq.heappush(lanes, ends[step.id])
    return max(ends.values(), default=0.0)
