"""The end of a run that no attempt at its steps has ended: it was never begun, or went no further."""

from __future__ import annotations

from raijin.errors import Cancelled, RaijinError
from raijin.observe.events import Event, Kind
from raijin.observe.masking import masked_problem
from raijin.state.runs import Runs, RunStatus


def end(runs: Runs, run: str, error: RaijinError | None) -> Event:
    """Journal that it ended, and how. Returns what is to be told."""
    status = RunStatus.DONE
    if error is not None:
        status = RunStatus.CANCELLED if isinstance(error, Cancelled) else RunStatus.FAILED
    problem = masked_problem(error) if error is not None else None
    runs.finish(run, status, problem)
    return Event(Kind.RUN_FINISHED, run, data={"status": str(status), **({"error": problem} if problem else {})})
