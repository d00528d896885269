"""A process that carries out what a server is asked for: runs from a queue, schedules, and the work of dead runners.

Any number of them share one database. DBOS hands each job to one of them; what DBOS leaves to its owner, taking over
from a process that has died, is done here with a lease (`state.runners`): a survivor puts the pending jobs of the dead
back into the queue, and whoever gets one goes on with its run by the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from dbos import DBOS, SetWorkflowID
from sqlalchemy.engine import Engine as Database

from raijin.engine.durable import Durable
from raijin.state.runners import RENEW_SECONDS, RunnerRecord, Runners

QUEUE = "raijin-runs"
AT_ONCE = 64
"""Runs in hand in one process; more wait in the queue."""
POLL_SECONDS = 0.2

CarryOut = Callable[[str], Awaitable[None]]
"""Carry out, or go on with, the run of that id. It has no error: what becomes of the run stands in the journal."""
Due = Callable[[str, float], Awaitable[None]]
"""A schedule, by its name, is due; it was so at that time (seconds since the epoch)."""


class _Here:
    """The works of this process. DBOS calls back into module functions, which find it here."""

    works: Works


async def _apart(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    """Do it on the loop of the works, outside the workflow that asks for it: the run is a workflow of its own."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    here = asyncio.get_running_loop()

    def over() -> None:
        if not done.done():
            done.set_result(None)

    def tell(task: asyncio.Task[None]) -> None:
        here.call_soon_threadsafe(over)
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler({"message": "a job ended with a defect", "exception": task.exception()})

    def begin() -> None:
        task = loop.create_task(work)
        _Here.works.tasks.add(task)
        task.add_done_callback(_Here.works.tasks.discard)
        task.add_done_callback(tell)

    loop.call_soon_threadsafe(begin, context=contextvars.Context())
    await done


@DBOS.workflow(name="raijin_job")
async def _job(run: str) -> None:
    works = _Here.works
    await _apart(works.loop, works.run_job(run))


@DBOS.workflow(name="raijin_due")
async def _due(at: datetime | str, name: str) -> None:
    # What JSON hands back of a moment is its text.
    works, moment = _Here.works, datetime.fromisoformat(at) if isinstance(at, str) else at
    await _apart(works.loop, works.run_due(name, moment.timestamp()))


@dataclass(slots=True)
class Works:
    """Use it as `async with`; everything is done on the loop that entered it."""

    home: Path
    database: Database
    carry_out: CarryOut
    due: Due
    started: float = field(default_factory=time.time)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _durable: Durable | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _keeper: asyncio.Task[None] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the works were not entered")
        return self._loop

    @property
    def durable(self) -> Durable:
        if self._durable is None:
            raise RuntimeError("the works were not entered")
        return self._durable

    @property
    def runners(self) -> Runners:
        return Runners(self.database)

    async def __aenter__(self) -> Self:
        _Here.works, self._loop = self, asyncio.get_running_loop()
        self._durable = Durable(self.home, queues=(QUEUE,))
        self.runners.renew(self._durable.executor, self.started)
        await self._durable.__aenter__()
        await DBOS.register_queue_async(QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=POLL_SECONDS)
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whoever is in the middle of a run when this is called leaves it to the next runner."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if not self.tasks:
            self.runners.remove(self.durable.executor)
        await self.durable.__aexit__()

    async def enqueue(self, run: str) -> None:
        """Put a run into the queue; one that is in it already is not put there twice. Call it on the works' loop."""
        with SetWorkflowID(f"job.{run}"):
            await DBOS.enqueue_workflow_async(QUEUE, _job, run)

    async def again(self, run: str, attempt: int) -> None:
        """Put a run into the queue that has ended and shall go on."""
        with SetWorkflowID(f"job.{run}.{attempt}"):
            await DBOS.enqueue_workflow_async(QUEUE, _job, run)

    async def schedule(self, wanted: Mapping[str, str]) -> None:
        """Let these schedules be the ones there are: name -> cron line of five fields (UTC)."""
        there = {item["schedule_name"] for item in await DBOS.list_schedules_async()}
        for gone in there - set(wanted):
            await DBOS.delete_schedule_async(gone)
        await DBOS.apply_schedules_async(
            [
                {"schedule_name": n, "workflow_fn": _due, "schedule": cron, "context": n, "queue_name": QUEUE}
                for n, cron in wanted.items()
            ]
        )

    async def run_job(self, run: str) -> None:
        await self.carry_out(run)

    async def run_due(self, name: str, at: float) -> None:
        await self.due(name, at)

    async def _keep(self) -> None:
        """Keep our lease, and take over from those who have lost theirs."""
        while True:
            await asyncio.to_thread(self.runners.renew, self.durable.executor, self.started)
            for record in await asyncio.to_thread(self.runners.all):
                if record.dead and record.id != self.durable.executor:
                    await self._take_over(record)
            await asyncio.sleep(RENEW_SECONDS)

    async def _take_over(self, dead: RunnerRecord) -> None:
        if not await asyncio.to_thread(self.runners.claim, dead):
            return
        left = await DBOS.list_workflows_async(status="PENDING", executor_id=dead.id, load_input=False)
        jobs = [flow.workflow_id for flow in left if flow.name in {"raijin_job", "raijin_due"}]
        parts = [flow.workflow_id for flow in left if flow.workflow_id not in jobs]
        if jobs:
            await DBOS.resume_workflows_async(jobs, queue_name=QUEUE)
        if parts:  # of attempts that nobody goes on with: the journal is gone on with in a new one
            await DBOS.cancel_workflows_async(parts)
        await asyncio.to_thread(self.runners.remove, dead.id)
