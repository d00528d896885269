"""The sink of a run's events: into the journal, the many small ones a moment later and together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from raijin.observe.events import Event, Kind
from raijin.state.runs import Runs

PAUSE_SECONDS = 0.3
"""How long what a host reports may wait. A transaction of its own for each line cost more than all else in a run."""

BRIEF = frozenset({Kind.STEP_STARTED, Kind.OPERATION, Kind.TRANSFER})
"""What may be lost when the process is killed: no decision is made from it. The states of steps are written at once."""


@dataclass(slots=True)
class Journal:
    """Call it with events on the loop of the run; `flush` when the run ends. Events stay in their order."""

    runs: Runs
    _waiting: list[Event] = field(default_factory=list)
    _timer: asyncio.TimerHandle | None = None

    def __call__(self, event: Event) -> None:
        self._waiting.append(event)
        if event.kind not in BRIEF:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self.runs.record(*waiting)
