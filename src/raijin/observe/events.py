"""Events: what happened, as it happens. The journal keeps them, the progress display and the API show them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from raijin.observe.masking import masked


class Kind(StrEnum):
    RUN_STARTED = "run-started"
    RUN_FINISHED = "run-finished"
    STEP_STARTED = "step-started"
    STEP_FINISHED = "step-finished"
    OPERATION = "operation"
    TRANSFER = "transfer"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Event:
    """at: seconds since the epoch. data: JSON values, masked when the event is made."""

    kind: Kind
    run: str
    step: str = ""
    host: str = ""
    data: dict[str, object] = field(default_factory=dict)
    at: float = field(default_factory=time.time)

    def masked(self) -> Event:
        return Event(self.kind, self.run, self.step, self.host, {k: masked(v) for k, v in self.data.items()}, self.at)


Sink = Callable[[Event], None]


class Events:
    """Hands every event to every sink, masked. A sink must not block."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = list(sinks)

    def add(self, sink: Sink) -> None:
        self._sinks.append(sink)

    def emit(self, event: Event) -> None:
        self.pass_on(event.masked())

    def pass_on(self, hidden: Event) -> None:
        """An event in which everything is masked already, because it comes from another one of these."""
        for sink in self._sinks:
            sink(hidden)
