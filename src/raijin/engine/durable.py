"""The durable shell, on DBOS Transact: an attempt at a run is a workflow with one step, which carries the plan out.

Steps of the plan are in the journal and nowhere else: each of them written a second time, as a workflow of its own, was
a large part of what a run cost, and nobody read it there.

One DBOS serves a process, for one run (the command line) or for any number of them (the server). A server takes its
runs from a queue of DBOS, as `raijin_job` workflows; the runner that survives puts the jobs of a dead one back into
that queue. Whoever goes on with a run opens a new attempt, with new names: what is done is said by the journal alone,
so that it does not matter in which process, on which machine or in which database of workflows it was begun.
Only ids enter the workflow database: plans and errors are in the journal, and secrets in their store.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID

from raijin.engine.runner import Runner
from raijin.errors import RaijinError
from raijin.observe.masking import MASKER
from raijin.state import database_url
from raijin.state.database import PRAGMAS

APPLICATION_VERSION = "raijin-workflow-1"
"""Pinned: DBOS leaves the work of another version alone for ever. Raise it only with a path for what is pending."""

SCHEDULER_SECONDS = 5.0
"""How soon a schedule that was set in another process is noticed."""


class JsonSerializer(Serializer):
    """DBOS pickles by default; a workflow database must not be able to run code, nor hold what JSON cannot.

    Errors of steps never come here: they are in the journal. What does is a defect, and is kept as its masked text.
    """

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            return json.dumps({"defect": f"{type(data).__name__}: {MASKER.mask(str(data))}"})
        return json.dumps(data, default=_moment)

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        if isinstance(data, dict) and set(data) == {"defect"}:
            return RaijinError(str(data["defect"]), remedy="please report this defect")
        return data

    def name(self) -> str:
        return "raijin_json"


def _moment(value: object) -> str:
    """DBOS hands the time that a schedule is due at to its workflow."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be kept in the workflow database")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an attempt is carried out: DBOS calls back into module functions, which find it here."""

    runner: Runner
    loop: asyncio.AbstractEventLoop


_PLACES: dict[str, _Place] = {}
"""The attempts of this process, by the name of their workflow."""


async def _on(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    """Workflows of a queue run on a loop of DBOS's own; connections belong to the loop that opened them."""
    if asyncio.get_running_loop() is loop:
        await work
    else:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


@DBOS.workflow(name="raijin_run")
async def _run_workflow(run: str, attempt: int) -> None:
    await DBOS.run_step_async({"name": "steps"}, _all_steps, run, attempt)


async def _all_steps(run: str, attempt: int) -> None:
    place = _PLACES[_name(run, attempt)]
    await _on(place.loop, place.runner.carry_out())


def _name(run: str, attempt: int) -> str:
    return f"{run}.{attempt}"


def _sqlite(path: Path) -> sa.Engine:
    """As DBOS opens it, but written ahead like our own state: a commit then costs no wait for the disk."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    def opened(connection: Any, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in (*PRAGMAS, "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "connect", opened)
    return engine


class Durable:
    """DBOS, started for a process and ended with it. queues: those whose jobs this process takes."""

    def __init__(self, home: Path, *, queues: Sequence[str] = ()) -> None:
        url = database_url()
        self.executor = f"{os.getpid()}-{uuid4().hex[:12]}"
        self._queues = list(queues)
        self._config: DBOSConfig = {
            "name": "raijin",
            "system_database_url": url or f"sqlite:///{home / 'engine.sqlite'}",
            "system_database_engine": None if url else _sqlite(home / "engine.sqlite"),
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
        name = _name(runner.run, runner.attempt)
        runner.prepare()
        _PLACES[name] = _Place(runner, asyncio.get_running_loop())
        try:
            with SetWorkflowID(name):
                handle: Any = await DBOS.start_workflow_async(_run_workflow, runner.run, runner.attempt)
            await handle.get_result(polling_interval_sec=0.05)
        finally:
            del _PLACES[name]
