"""Runs as the rest of Raijin sees them: start a plan, go on with a run, ask one to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine as Database

from raijin.engine.journal import Journal
from raijin.engine.programs import Locate, ProgramRunner
from raijin.engine.runner import Runner
from raijin.errors import PlanRefused
from raijin.model.policy import OnHostFailure
from raijin.observe.events import Event, Events, Kind
from raijin.operations.base import Resolve, SecretRef
from raijin.plan.codec import plan_from_json, plan_to_json
from raijin.plan.handlers import Handlers
from raijin.plan.model import Plan
from raijin.state.locks import RENEW_SECONDS, Locks
from raijin.state.members import Members
from raijin.state.runs import RunRecord, Runs, RunStatus, StepState
from raijin.state.secrets import SecretStore
from raijin.transport.pool import Pool

if TYPE_CHECKING:
    from raijin.engine.durable import Durable

CANCEL_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Engine:
    """The durable engine of one RAIJIN_HOME. durable: that of the process, where it serves many runs.

    pause: seconds before a step is tried again for the first time; None: as on real hosts.
    """

    home: Path
    database: Database
    handlers: Handlers
    events: Events
    durable: Durable | None = None
    pause: float | None = None

    @property
    def runs(self) -> Runs:
        return Runs(self.database)

    async def start(
        self, plan: Plan, pool: Pool, locate: Locate, policy: OnHostFailure, *, run: str | None = None
    ) -> RunRecord:
        """Carry out a new plan to its end. Raises Locked, else what the run ended with.

        run: the id that it was asked for under.
        """
        run = run or new_run_id()
        async with self._lock(plan.cluster, run):
            steps = [(step.id, step.stage, step.target) for step in plan.steps]
            settings = json.dumps({"policy": policy})
            text = json.dumps(plan_to_json(plan))
            self.runs.create(run, cluster=plan.cluster, verb=plan.verb, plan=text, settings=settings, steps=steps)
            return await self._attempt(run, 1, plan, policy, pool=pool, locate=locate)

    async def resume(self, run: str, pool: Pool, locate: Locate, *, survivor: bool = False) -> RunRecord:
        """Go on where a run was killed, or try again what failed or was not started.

        survivor: take over from a runner that has died, without anybody asking; what has failed stays so.
        """
        record = self.runs.get(run)
        if record.status is RunStatus.DONE:
            raise PlanRefused(f"the run {record.id} is done", remedy="nothing is left to resume")
        if not record.plan:
            raise PlanRefused(f"the run {record.id} has no plan", remedy="ask for it again")
        plan = plan_from_json(json.loads(record.plan), ours=True)
        policy = OnHostFailure(json.loads(record.settings)["policy"])
        async with self._lock(record.cluster, record.id):
            attempt = self.runs.go_on(record.id, cancelled=True) if survivor else self._open(record, plan)
            return await self._attempt(record.id, attempt, plan, policy, pool=pool, locate=locate)

    def _open(self, record: RunRecord, plan: Plan) -> int:
        """The attempt to go on in.

        What put a failed step in order has to do so again after the next try of that step.
        """
        if not record.status.ended:
            return self.runs.go_on(record.id)
        done = {step.step for step in self.runs.steps(record.id) if step.state is StepState.DONE}
        again = [step.id for step in plan.steps if step.cleanup and not set(step.needs) <= done]
        return self.runs.next_attempt(record.id, again=again)

    def cancel(self, run: str) -> RunRecord:
        """Ask for the end of a run. One that has not begun, or whose process is dead, is cancelled at once."""
        record = self.runs.get(run)
        if record.status.ended:
            raise PlanRefused(
                f"the run {record.id} has ended already: {record.status}", remedy="see `raijin run list` for others"
            )
        self.runs.request_cancel(record.id)
        if record.status is RunStatus.QUEUED:
            self.runs.finish(record.id, RunStatus.CANCELLED, {"detail": "cancelled before it began"})
        elif record.status is not RunStatus.PLANNING and not self.alive(record):  # who plans looks before it begins
            self.runs.finish(record.id, RunStatus.CANCELLED, {"detail": "its process was gone"})
        return self.runs.get(record.id)

    def alive(self, record: RunRecord) -> bool:
        """Whether a process works on the run now (RUNNING in the journal may be a killed one)."""
        return Locks(self.database).held(_lock_name(record.cluster)) == record.id

    async def _attempt(
        self, run: str, attempt: int, plan: Plan, policy: OnHostFailure, *, pool: Pool, locate: Locate
    ) -> RunRecord:
        store = SecretStore(self.home)
        runs = self.runs
        journal = Journal(runs)
        events = Events(journal, self.events.pass_on)
        programs = ProgramRunner(run, f"{run}-{attempt}", pool, events, _resolver(store), locate)
        members = Members(self.database)
        runner = Runner(run, attempt, plan, policy, self.handlers, programs, runs, members, store, events)
        runner.pause = self.pause
        events.emit(Event(Kind.RUN_STARTED, run, data={"verb": plan.verb, "cluster": plan.cluster, "attempt": attempt}))
        started = time.monotonic()
        try:
            async with _watched(runner, runs, Locks(self.database)), _own(self.durable, self.home) as durable:
                await durable.execute(runner)
        finally:
            journal.flush()
        status, error = runner.result()
        runs.finish(run, status, error.problem() if error else None)
        data: dict[str, object] = {"status": str(status), "seconds": round(time.monotonic() - started, 3)}
        events.emit(Event(Kind.RUN_FINISHED, run, data=data))
        if error is not None:
            raise error
        return runs.get(run)

    @asynccontextmanager
    async def _lock(self, cluster: str, run: str) -> AsyncIterator[None]:
        locks, name = Locks(self.database), _lock_name(cluster)
        locks.acquire(name, run)
        try:
            yield
        finally:
            locks.release(name)


@asynccontextmanager
async def _own(shared: Durable | None, home: Path) -> AsyncIterator[Durable]:
    """The engine of the process, or one for a single run."""
    if shared is not None:
        yield shared
        return
    # DBOS takes most of a second to import; who only plans never pays for it.
    from raijin.engine.durable import Durable  # noqa: PLC0415

    async with Durable(home) as durable:
        yield durable


def new_run_id() -> str:
    """Sortable by time, short enough to type: `20261121-142530-3f9a`."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"


def _lock_name(cluster: str) -> str:
    return f"cluster/{cluster}"


def _resolver(store: SecretStore) -> Resolve:
    def resolve(reference: SecretRef) -> str:
        return store.get(reference.secret)

    return resolve


@asynccontextmanager
async def _watched(runner: Runner, runs: Runs, locks: Locks) -> AsyncIterator[None]:
    """While the attempt runs: keep the lease, and listen for `raijin run cancel` and for Ctrl-C."""
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        if stopping:  # the second Ctrl-C: leave at once; what is in hand on the hosts ends by itself
            raise KeyboardInterrupt
        stopping.add(asyncio.create_task(runner.cancel()))

    async def watch() -> None:
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(min(CANCEL_POLL_SECONDS, RENEW_SECONDS))
            if not stopping and runs.cancel_requested(runner.run):
                stop()
            # Also while it stops: a host may take minutes for the operation in hand, and nobody else may start.
            if time.monotonic() - renewed >= RENEW_SECONDS:
                renewed = time.monotonic()
                if not locks.renew(_lock_name(runner.plan.cluster)) and not stopping:
                    stop()

    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    for number in signals:
        loop.add_signal_handler(number, stop)
    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
        await asyncio.gather(*stopping)
