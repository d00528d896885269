"""The durable shell, on DBOS Transact: a run is a workflow, each step a child workflow with one retried step in it.

The children are started in the plan's order, whatever their needs, and wait inside: so a replay after a kill starts
the same children with the same names, and DBOS hands back those that ended. A run that ended in failure is opened again
as a new attempt, with new names; the journal says which steps are done. Nothing but ids enters the workflow database:
plans are in the journal and secrets in their store.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from dbos import error as dbos_error

from raijin.engine.runner import Runner, seconds_since, unexpected
from raijin.errors import Cancelled, RaijinError
from raijin.observe.masking import MASKER
from raijin.plan.model import Retry

APPLICATION_VERSION = "raijin-workflow-1"
"""Pinned: DBOS leaves the work of another version alone for ever. Raise it only with a path for what is pending."""

ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 1.0
BACKOFF = 2.0

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
        return json.dumps(data)

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


_PARTS = ("message", "host", "remedy", "detail")


def _kinds(kind: type[RaijinError]) -> Iterator[type[RaijinError]]:
    """A class of errors and all below it: a replayed error must be of the class that it was."""
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


class _Current:
    """The one run of this process. DBOS calls back into module functions, which find it here."""

    runner: Runner
    loop: asyncio.AbstractEventLoop
    pause: float


async def _on_home_loop(work: Coroutine[Any, Any, T]) -> T:
    """Recovered workflows run on a loop of DBOS's own; connections belong to the loop that opened them."""
    if asyncio.get_running_loop() is _Current.loop:
        return await work
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _Current.loop))


@DBOS.workflow(name="raijin_run")
async def _run_workflow(run: str, attempt: int) -> None:
    handles = []
    for step in _Current.runner.plan.steps:
        with SetWorkflowID(_child(run, attempt, step.id)):
            handles.append(await DBOS.start_workflow_async(_step_workflow, step.id))
    for handle in handles:
        await handle.get_result(polling_interval_sec=0.05)


@DBOS.workflow(name="raijin_step")
async def _step_workflow(step_id: str) -> str:
    runner = _Current.runner
    step = runner.step(step_id)
    await _on_home_loop(runner.await_needs(step_id))
    started = time.monotonic()
    error: RaijinError | None = None
    try:
        await DBOS.run_step_async(
            {
                "name": step.stage,
                "retries_allowed": step.retry is Retry.TRANSIENT,
                "max_attempts": ATTEMPTS,
                "interval_seconds": _Current.pause,
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
    return await _on_home_loop(_settle(runner, step_id, error, seconds_since(started)))


async def _perform(step_id: str) -> None:
    await _on_home_loop(_Current.runner.perform(step_id))


async def _settle(runner: Runner, step_id: str, error: RaijinError | None, seconds: float) -> str:
    return str(runner.settle(step_id, error, seconds=seconds).state)


def _transient(error: BaseException) -> bool:
    return isinstance(error, RaijinError) and error.transient and not isinstance(error, Cancelled)


def _parent(run: str, attempt: int) -> str:
    return f"{run}.{attempt}"


def _child(run: str, attempt: int, step: str) -> str:
    return f"{run}.{attempt}.{step}"


class Durable:
    """DBOS, started for one run and ended with it."""

    def __init__(self, home: Path, run: str, pause: float | None = None) -> None:
        self._run, self._pause = run, pause
        config: DBOSConfig = {
            "name": "raijin",
            "system_database_url": f"sqlite:///{home / 'engine.sqlite'}",
            "application_version": APPLICATION_VERSION,
            # One executor per run: starting this one must not wake the pending work of another.
            "executor_id": run,
            "serializer": JsonSerializer(),
            "log_level": "CRITICAL",
            "enable_otlp": False,
            # The end of the process waits for this poll; nothing of ours uses notifications.
            "notification_listener_polling_interval_sec": 0.05,
            "max_executor_threads": 8,
        }
        self._config = config

    async def execute(self, runner: Runner) -> None:
        """Run or go on with the attempt until every step has ended."""
        _Current.runner, _Current.loop = runner, asyncio.get_running_loop()
        _Current.pause = FIRST_PAUSE_SECONDS if self._pause is None else self._pause
        runner.prepare()
        DBOS(config=self._config)
        await asyncio.to_thread(DBOS.launch)
        try:
            name = _parent(self._run, runner.attempt)
            known = await DBOS.get_workflow_status_async(name)
            if known is None:
                with SetWorkflowID(name):
                    handle: Any = await DBOS.start_workflow_async(_run_workflow, self._run, runner.attempt)
            else:
                handle = await DBOS.retrieve_workflow_async(name)
            await handle.get_result(polling_interval_sec=0.05)
        finally:
            await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
            # DBOS made its own threads those of the loop, and has ended them: whoever comes next needs others.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
