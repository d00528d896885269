"""Runs, looked at and taken up again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raijin.app.running import resume
from raijin.app.session import Session
from raijin.errors import NotFound
from raijin.observe.events import Event, Sink
from raijin.plan.model import Plan
from raijin.state import has_state

if TYPE_CHECKING:
    from raijin.engine.service import Engine
    from raijin.state.runs import RunRecord, StepRecord


@dataclass(frozen=True, slots=True)
class RunDetails:
    run: RunRecord
    alive: bool
    steps: list[StepRecord]
    events: list[tuple[int, Event]]

    def to_json(self) -> dict[str, Any]:
        return {
            "steps": [asdict(step) for step in self.steps],
            "events": [asdict(event) | {"id": number} for number, event in self.events],
        }


def history(home: Path, *, cluster: str | None, limit: int) -> list[tuple[RunRecord, bool]]:
    """The newest runs, each with whether a process works on it now."""
    if not has_state(home):
        return []
    engine = _engine(home)
    return [(run, engine.alive(run)) for run in engine.runs.history(cluster=cluster, limit=limit)]


def details(home: Path, run: str, *, events: bool) -> RunDetails:
    """Raises NotFound."""
    engine = _engine(home)
    record = engine.runs.get(run)
    found = engine.runs.events(record.id) if events else []
    return RunDetails(record, engine.alive(record), engine.runs.steps(record.id), found)


def cancel_run(home: Path, run: str) -> RunRecord:
    return _engine(home).cancel(run)


async def resume_run(home: Path, run: str, progress: Callable[[int], Sink]) -> RunRecord:
    """Go on with a run, with the definition that its plan was made from."""

    def session_of(plan: Plan) -> Session:
        session = Session(home, tuple(Path(source) for source in plan.sources), plan.cluster)
        session.events.add(progress(len(plan.steps)))
        return session

    return await resume(session_of, home, run)


def _engine(home: Path) -> Engine:
    if not has_state(home):
        raise NotFound(f"nothing was ever run from {home}", remedy="check RAIJIN_HOME; `raijin apply` begins a run")
    from raijin.engine.service import Engine  # noqa: PLC0415

    session = Session(home)
    return Engine(home, session.database, {}, session.events)  # it only looks, and asks others to stop
