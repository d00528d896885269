"""The durable shell, on DBOS Transact: a run is a workflow, each step a child workflow with one retried step in it.

One DBOS serves a process, for one run (the command line) or for any number of them (the server). A server takes its
runs from a queue of DBOS, as `raijin_job` workflows; the runner that survives puts the jobs of a dead one back into
that queue. Whoever goes on with a run opens a new attempt, with new names: what is done is said by the journal alone,
so that it does not matter in which process, on which machine or in which database of workflows it was begun.
Ids enter the workflow database, and errors, masked: plans are in the journal and secrets in their store.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import uuid4

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from dbos import error as dbos_error

from raijin.engine.runner import Runner, seconds_since, unexpected
from raijin.errors import Cancelled, RaijinError
from raijin.observe.masking import MASKER
from raijin.plan.model import Retry
from raijin.state import database_url

APPLICATION_VERSION = "raijin-workflow-1"
"""Pinned: DBOS leaves the work of another version alone for ever. Raise it only with a path for what is pending."""

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 1.0
BACKOFF = 2.0
SCHEDULER_SECONDS = 5.0
"""How soon a schedule that was set in another process is noticed."""

T = TypeVar("T")


class JsonSerializer(Serializer):
    """DBOS pickles by default; a workflow database must not be able to run code, nor hold what JSON cannot."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, RaijinError):
            parts = {name: MASKER.mask(text) for name in _PARTS if (text := getattr(data, name))}
            return json.dumps({"error": type(data).__name__, "parts": parts})
        if isinstance(data, BaseException):
            message = f"{type(data).__name__}: {MASKER.mask(str(data))}"
            return json.dumps({"error": "RaijinError", "parts": {"message": message}})
        return json.dumps(data, default=_moment)

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        if isinstance(data, dict) and set(data) == {"error", "parts"}:
            kind = next((kind for kind in _kinds(RaijinError) if kind.__name__ == data["error"]), RaijinError)
            parts = data["parts"]
            error = kind.__new__(kind)
            RaijinError.__init__(error, parts.pop("message"), **parts)
            return error
        return data

    def name(self) -> str:
        return "raijin_json"


def _moment(value: object) -> str:
    """DBOS hands the time that a schedule is due at to its workflow."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be kept in the workflow database")


_PARTS = ("message", "host", "remedy", "detail")


def _kinds(kind: type[RaijinError]) -> Iterator[type[RaijinError]]:
    """A class of errors and all below it: a replayed error must be of the class that it was."""
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an attempt is carried out: DBOS calls back into module functions, which find it here."""

    runner: Runner
    loop: asyncio.AbstractEventLoop


_PLACES: dict[str, _Place] = {}
"""The attempts of this process, by the name of their workflow."""


def _place() -> _Place:
    """Of the workflow that runs now: `RUN.ATTEMPT` or a child of it, `RUN.ATTEMPT.STEP`."""
    run, attempt, *_ = str(DBOS.workflow_id).split(".", 2)
    return _PLACES[f"{run}.{attempt}"]


async def _on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Workflows of a queue run on a loop of DBOS's own; connections belong to the loop that opened them."""
    if asyncio.get_running_loop() is loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


@DBOS.workflow(name="raijin_run")
async def _run_workflow(run: str, attempt: int) -> None:
    handles = []
    for step in _place().runner.plan.steps:
        with SetWorkflowID(_child(run, attempt, step.id)):
            handles.append(await DBOS.start_workflow_async(_step_workflow, step.id))
    for handle in handles:
        await handle.get_result(polling_interval_sec=0.05)


@DBOS.workflow(name="raijin_step")
async def _step_workflow(step_id: str) -> str:
    place = _place()
    runner, loop = place.runner, place.loop
    step = runner.step(step_id)
    await _on(loop, runner.await_needs(step_id))
    started = time.monotonic()
    error: RaijinError | None = None
    try:
        await DBOS.run_step_async(
            {
                "name": step.stage,
                "retries_allowed": step.retry is Retry.TRANSIENT,
                "max_attempts": ATTEMPTS,
                "interval_seconds": FIRST_PAUSE_SECONDS if runner.pause is None else runner.pause,
                "backoff_rate": BACKOFF,
                "should_retry": _transient,
            },
            _perform,
            step_id,
        )
    except RaijinError as caught:
        error = caught
    except dbos_error.DBOSMaxStepRetriesExceeded as caught:
        last = caught.errors[-1] if caught.errors else caught
        error = last if isinstance(last, RaijinError) else unexpected(last, step.target)
    except Exception as caught:  # noqa: BLE001  (a defect must end one step, not leave the run hanging)
        error = unexpected(caught, step.target)
    return await _on(loop, _settle(runner, step_id, error, seconds_since(started)))


async def _perform(step_id: str) -> None:
    place = _place()
    await _on(place.loop, place.runner.perform(step_id))


async def _settle(runner: Runner, step_id: str, error: RaijinError | None, seconds: float) -> str:
    return str(runner.settle(step_id, error, seconds=seconds).state)


def _transient(error: BaseException) -> bool:
    return isinstance(error, RaijinError) and error.transient and not isinstance(error, Cancelled)


def _parent(run: str, attempt: int) -> str:
    return f"{run}.{attempt}"


def _child(run: str, attempt: int, step: str) -> str:
    return f"{run}.{attempt}.{step}"


class Durable:
    """DBOS, started for a process and ended with it. queues: those whose jobs this process takes."""

    def __init__(self, home: Path, *, queues: Sequence[str] = ()) -> None:
        url = database_url()
        self.executor = f"{os.getpid()}-{uuid4().hex[:12]}"
        self._queues = list(queues)
        self._config: DBOSConfig = {
            "name": "raijin",
            "system_database_url": url or f"sqlite:///{home / 'engine.sqlite'}",
            "application_version": APPLICATION_VERSION,
            # One executor per process and start: launching it must not wake the pending work of another.
            "executor_id": self.executor,
            "serializer": JsonSerializer(),
            "log_level": "CRITICAL",
            "enable_otlp": False,
            # The end of the process waits for this poll; nothing of ours uses notifications.
            "notification_listener_polling_interval_sec": 0.05,
            "scheduler_polling_interval_sec": SCHEDULER_SECONDS,
            "max_executor_threads": 8,
        }

    async def __aenter__(self) -> Self:
        DBOS(config=self._config)
        DBOS.listen_queues(self._queues)
        await asyncio.to_thread(DBOS.launch)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
        # DBOS made its own threads those of the loop, and has ended them: whoever comes next needs others.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    async def execute(self, runner: Runner) -> None:
        """Carry out an attempt until every step of it has ended."""
        name = _parent(runner.run, runner.attempt)
        runner.prepare()
        _PLACES[name] = _Place(runner, asyncio.get_running_loop())
        try:
            with SetWorkflowID(name):
                handle: Any = await DBOS.start_workflow_async(_run_workflow, runner.run, runner.attempt)
            await handle.get_result(polling_interval_sec=0.05)
        finally:
            del _PLACES[name]
