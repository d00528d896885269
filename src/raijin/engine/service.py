"""Runs as the rest of Raijin sees them: start a plan, go on with a run, ask one to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from raijin.engine.ending import end
from raijin.engine.journal import Journal
from raijin.engine.programs import Locate, ProgramRunner
from raijin.engine.runner import Runner, unexpected
from raijin.errors import Cancelled, PlanRefused, RaijinError
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
        self,
        plan: Plan,
        pool: Pool,
        locate: Locate,
        policy: OnHostFailure,
        *,
        run: str | None = None,
        alone: bool = False,
    ) -> RunRecord:
        """Carry out a new plan to its end. Raises Locked, else what the run ended with.

        run: the id that it was asked for under. Where the plan leads on, the run goes on: it keeps its lock, and either
        `go_on` or `give_up` follows. alone: the run is over all the same.
        """
        run = run or new_run_id()
        async with self._lock(plan.cluster, run) as held:
            goes_on = plan.leads_on and not alone
            settings, text = _settings(policy, goes_on=goes_on), json.dumps(plan_to_json(plan))
            rows = _rows(plan)
            self.runs.create(run, cluster=plan.cluster, verb=plan.verb, plan=text, settings=settings, steps=rows)
            return held.until(await self._attempt(run, 1, plan, policy, pool=pool, locate=locate, goes_on=goes_on))

    async def go_on(self, run: str, plan: Plan, pool: Pool, locate: Locate) -> RunRecord:
        """Carry out what the plan of a run has led on to, in the same run. Raises as `start`."""
        record = self.runs.get(run)
        if record.status.ended:
            raise Cancelled(f"the run {run} has ended meanwhile: {record.status}", remedy="apply again")
        whole = plan.after(plan_from_json(json.loads(record.plan), ours=True))
        policy = OnHostFailure(json.loads(record.settings)["policy"])
        async with self._lock(plan.cluster, run) as held:
            settings, text = _settings(policy, goes_on=plan.leads_on), json.dumps(plan_to_json(whole))
            n = self.runs.extend(run, plan=text, settings=settings, steps=_rows(whole))
            done = await self._attempt(run, n, whole, policy, pool=pool, locate=locate, goes_on=plan.leads_on)
            return held.until(done)

    @contextmanager
    def holding(self, cluster: str) -> Iterator[None]:
        """Keep the lock of a run that goes on while its next steps are planned, and a person reads them.

        By a thread: who asks a person keeps the loop waiting. A lease that is lost all the same is noticed by `go_on`.
        """
        over = threading.Event()

        def renew() -> None:
            while not over.wait(RENEW_SECONDS):
                with contextlib.suppress(SQLAlchemyError):  # a busy database: the lease lasts for two more tries
                    Locks(self.database).renew(_lock_name(cluster))

        thread = threading.Thread(target=renew, name="raijin-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def give_up(self, run: str, failure: Exception | None) -> None:
        """End a run whose plan has led on to nothing that was carried out."""
        record = self.runs.get(run)
        error = failure if failure is None or isinstance(failure, RaijinError) else unexpected(failure, record.cluster)
        Events(self.runs.record, self.events.pass_on).emit(end(self.runs, run, error))
        locks, name = Locks(self.database), _lock_name(record.cluster)
        if locks.held(name) == run:
            locks.release(name)

    async def resume(
        self, run: str, pool: Pool, locate: Locate, *, survivor: bool = False, alone: bool = False
    ) -> RunRecord:
        """Go on where a run was killed, or try again what failed or was not started.

        survivor: take over from a runner that has died, without anybody asking; what has failed stays so. alone: as in
        `start`.
        """
        record = self.runs.get(run)
        if record.status is RunStatus.DONE:
            raise PlanRefused(f"the run {record.id} is done", remedy="nothing is left to resume")
        if not record.plan:
            raise PlanRefused(f"the run {record.id} has no plan", remedy="ask for it again")
        plan = plan_from_json(json.loads(record.plan), ours=True)
        policy = OnHostFailure(json.loads(record.settings)["policy"])
        async with self._lock(record.cluster, record.id) as held:
            n = self.runs.go_on(record.id, cancelled=True) if survivor else self._open(record, plan)
            goes_on = _goes_on(record) and not alone
            done = await self._attempt(record.id, n, plan, policy, pool=pool, locate=locate, goes_on=goes_on)
            return held.until(done)

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
        self, run: str, attempt: int, plan: Plan, policy: OnHostFailure, *, pool: Pool, locate: Locate, goes_on: bool
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
        if status is RunStatus.DONE and goes_on:
            return runs.get(run)
        runs.finish(run, status, error.problem() if error else None)
        data: dict[str, object] = {"status": str(status), "seconds": round(time.monotonic() - started, 3)}
        events.emit(Event(Kind.RUN_FINISHED, run, data=data))
        if error is not None:
            raise error
        return runs.get(run)

    @asynccontextmanager
    async def _lock(self, cluster: str, run: str) -> AsyncIterator[_Held]:
        locks, name = Locks(self.database), _lock_name(cluster)
        locks.acquire(name, run)
        held = _Held()
        try:
            yield held
        finally:
            if not held.kept:
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


def _rows(plan: Plan) -> list[tuple[str, str, str]]:
    return [(step.id, step.stage, step.target) for step in plan.steps]


def _settings(policy: OnHostFailure, *, goes_on: bool) -> str:
    return json.dumps({"policy": policy, "goes_on": goes_on})


def goes_on_after(record: RunRecord) -> bool:
    """Whether a run has done what was planned, and is to be planned further."""
    return not record.status.ended and _goes_on(record)


def _goes_on(record: RunRecord) -> bool:
    return bool(json.loads(record.settings).get("goes_on"))


@dataclass(slots=True)
class _Held:
    """A lock. kept: also after what it was taken for, because nobody shall come before the run's next steps."""

    kept: bool = False

    def until(self, record: RunRecord) -> RunRecord:
        self.kept = goes_on_after(record)
        return record


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
