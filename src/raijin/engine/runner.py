"""The policy of a run: who may start when, what a failure stops, what cancelling means. Durability is `durable`'s."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from raijin.engine.programs import ProgramRunner
from raijin.errors import Cancelled, DeadlineExceeded, HostError, NotFound, RaijinError, RunFailed
from raijin.model.node_group import NodeRole
from raijin.model.policy import OnHostFailure
from raijin.observe.events import Event, Events, Kind
from raijin.observe.masking import MASKER, masked_problem
from raijin.operations.program import Program
from raijin.plan.handlers import CallContext, Handlers
from raijin.plan.model import Call, Plan, Retry, Step
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.runs import Runs, RunStatus, StepState
from raijin.state.secrets import SecretStore

BEGUN = frozenset({StepState.DONE, StepState.FAILED, StepState.CANCELLED})
"""How a step may have ended that was begun (a cancelled one may have been)."""
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 1.0
BACKOFF = 2.0
"""A step that failed for a reason that may pass is tried again: after one, two and four seconds."""
STOP_SECONDS = 0.3
"""How long cancelling waits for hosts to take the wish to stop; slower ones take it a little later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended. error: a problem document."""

    state: StepState
    error: Mapping[str, object] | None = None


@dataclass(slots=True)
class Runner:
    """One attempt at one plan, on one event loop."""

    run: str
    attempt: int
    plan: Plan
    policy: OnHostFailure
    handlers: Handlers
    programs: ProgramRunner
    runs: Runs
    members: Members
    secrets: SecretStore
    events: Events
    parallel: int = 64
    pause: float | None = None
    _ended: dict[str, asyncio.Future[Outcome]] = field(default_factory=dict)
    _active: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _steps: dict[str, Step] = field(default_factory=dict)
    _fresh: set[str] = field(default_factory=set)
    _renewals: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _stopping: set[asyncio.Task[None]] = field(default_factory=set)
    _halt: str = ""
    _first: str = ""
    _cancelled: bool = False
    _slots: asyncio.Semaphore | None = None

    def prepare(self) -> None:
        """Read the journal: what has ended in this attempt has ended. Call it on the loop that runs the steps."""
        loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(self.parallel)
        self._steps = {step.id: step for step in self.plan.steps}
        self._ended = {step.id: loop.create_future() for step in self.plan.steps}
        for record in self.runs.steps(self.run):
            if record.state in {StepState.WAITING, StepState.RUNNING} or record.step not in self._ended:
                continue
            self._end(record.step, Outcome(record.state, record.error))
            if record.state is StepState.FAILED:
                self._halt_after(self._steps[record.step])

    async def carry_out(self) -> None:
        """Every step to its end. They are begun in the plan's order; each waits for what it needs."""
        try:
            async with asyncio.TaskGroup() as group:
                for step in self.plan.steps:
                    group.create_task(self._one(step))
        except BaseExceptionGroup as several:  # the journal cannot be written: nothing more may be begun
            raise several.exceptions[0] from several

    async def _one(self, step: Step) -> None:
        await self.await_needs(step.id)
        started = time.monotonic()
        self.settle(step.id, await self._tried(step), seconds=seconds_since(started))

    async def _tried(self, step: Step) -> RaijinError | None:
        """Do a step, again when its failure may pass; what it ended with. A defect ends one step, not the run."""
        pause = FIRST_PAUSE_SECONDS if self.pause is None else self.pause
        left = ATTEMPTS if step.retry is Retry.TRANSIENT else 1
        while True:
            left -= 1
            try:
                await self.perform(step.id)
            except RaijinError as error:
                if not left or not error.transient or isinstance(error, Cancelled):
                    return error
            except Exception as defect:  # noqa: BLE001  (see above)
                return unexpected(defect, step.target)
            else:
                return None
            await asyncio.sleep(pause)
            pause *= BACKOFF

    async def await_needs(self, step_id: str) -> None:
        """Until everything that the step needs has ended, one way or the other."""
        await asyncio.gather(*(asyncio.shield(self._ended[need]) for need in self._steps[step_id].needs))

    async def perform(self, step_id: str) -> None:
        """Do the step, or return at once when it is done. Raises the step's error; Cancelled when it may not start."""
        ended = self._ended[step_id]
        if ended.done():
            if ended.result().state is StepState.DONE:
                return
            raise Cancelled("it had ended already in this attempt", host=self._steps[step_id].target)
        step = self._steps[step_id]
        self._refuse_start(step)
        if self._slots is None:
            raise RuntimeError("Runner.prepare was not called")
        async with self._slots:
            self._refuse_start(step)
            self.runs.step_started(self.run, step_id)
            self._emit(Kind.STEP_STARTED, step, {"title": step.title, "stage": step.stage})
            task = asyncio.create_task(self._act_fresh(step))
            self._active[step_id] = task
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                if not task.done():
                    task.cancel()
                raise Cancelled("stopped while it waited", host=step.target) from None
            finally:
                self._active.pop(step_id, None)

    def settle(self, step_id: str, error: RaijinError | None, *, seconds: float) -> Outcome:
        """Journal how a step ended, and let go of those who wait for it."""
        step = self._steps[step_id]
        ended = self._ended[step_id]
        if ended.done():
            return ended.result()
        outcome = self._outcome(error)
        took = seconds if outcome.state in {StepState.DONE, StepState.FAILED} else None
        self.runs.step_ended(self.run, step_id, outcome.state, seconds=took, error=outcome.error)
        self._emit(
            Kind.STEP_FINISHED,
            step,
            {"title": step.title, "state": str(outcome.state), "seconds": seconds, "error": outcome.error},
        )
        if outcome.state is StepState.FAILED:
            self._first = self._first or step_id
            self._after_failure(step, str(error))
        self._end(step_id, outcome)
        return outcome

    async def cancel(self) -> None:
        """Start nothing more; let each host end the operation in hand; interrupt what only waits."""
        self._cancelled = True
        self._halt = self._halt or "the run was cancelled"
        hosts = []
        for step_id, task in list(self._active.items()):
            step = self._steps[step_id]
            if isinstance(step.action, Program):
                hosts.append(step.target)
            else:
                task.cancel()
        self._stopping = {asyncio.create_task(self._stop(host)) for host in hosts}
        if self._stopping:
            # A dead host must not keep the others waiting: it goes on being asked beside.
            await asyncio.wait(self._stopping, timeout=STOP_SECONDS)

    async def _stop(self, host: str) -> None:
        # A host that does not answer cannot be asked; its program ends when it notices the lost connection.
        with contextlib.suppress(RaijinError):
            await self.programs.stop(host)

    def result(self) -> tuple[RunStatus, RaijinError | None]:
        """How the attempt ended, once every step has."""
        outcomes = {step_id: future.result() for step_id, future in self._ended.items()}
        failed = [step_id for step_id, outcome in outcomes.items() if outcome.state is StepState.FAILED]
        left = [step_id for step_id, outcome in outcomes.items() if outcome.state is not StepState.DONE]
        if not left:
            return RunStatus.DONE, None
        if self._cancelled or not failed:
            return RunStatus.CANCELLED, self._cancellation(outcomes)
        hosts = sorted({self._steps[step_id].target for step_id in failed})
        message = f"{len(failed)} of {len(outcomes)} steps failed ({', '.join(hosts)})"
        if len(left) > len(failed):
            message += f", {len(left) - len(failed)} were not started"
        first = self._first if self._first in failed else failed[0]
        said = (outcomes[first].error or {}).get("detail", "no reason is known")
        message += f"; first {self._steps[first].title} on {self._steps[first].target}: {said}"
        return RunStatus.FAILED, RunFailed(message, remedy=f"mend the cause, then `raijin run resume {self.run}`")

    def _cancellation(self, outcomes: Mapping[str, Outcome]) -> Cancelled:
        halfway = []
        for step_id, outcome in outcomes.items():
            detail = str((outcome.error or {}).get("detail", ""))
            step = self._steps[step_id]
            failed = outcome.state is StepState.FAILED and isinstance(step.action, Program)
            if failed or (outcome.state is StepState.CANCELLED and "operations" in detail):
                halfway.append(f"{step.target} in {step.title} ({detail})")
        where = f"; in the middle: {', '.join(halfway)}" if halfway else "; no host is in the middle of a change"
        return Cancelled(f"the run was cancelled{where}", remedy=f"go on with `raijin run resume {self.run}`")

    async def _act_fresh(self, step: Step) -> None:
        """Do the step, after doing again what it needs, was done by an earlier process, and may have expired."""
        needs = () if step.cleanup else step.needs  # what is only put in order is not made anew for it
        for need in (self._steps[name] for name in needs):
            if need.renewed and need.id not in self._fresh:
                renewal = self._renewals.get(need.id)
                if renewal is None or (renewal.done() and (renewal.cancelled() or renewal.exception() is not None)):
                    renewal = asyncio.ensure_future(self._act(need))
                    self._renewals[need.id] = renewal
                await asyncio.shield(renewal)
                self._fresh.add(need.id)
        await self._act(step)
        self._fresh.add(step.id)

    async def _act(self, step: Step) -> None:
        try:
            async with asyncio.timeout(step.timeout + 30):
                if isinstance(step.action, Program):
                    await self.programs.execute(step, step.action)
                else:
                    await self._call(step, step.action)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{step.title}: no end after {step.timeout:g} s", host=step.target) from error

    async def _call(self, step: Step, call: Call) -> None:
        handler = self.handlers.get(call.name)
        if handler is None:
            raise NotFound(f"this Raijin does not know how to do {call.name}", remedy="use the version that planned it")
        await handler(
            CallContext(
                cluster=self.plan.cluster,
                target=step.target,
                arguments=call.arguments,
                pool=self.programs.pool,
                secrets=self.secrets,
                members=self.members,
                timeout=step.timeout,
                say=lambda text: self._emit(Kind.MESSAGE, step, {"text": text}),
                locate=self.programs.locate,
            )
        )

    def _refuse_start(self, step: Step) -> None:
        if step.cleanup and not self._cancelled:
            states = {self._ended[need].result().state for need in step.needs}
            if not states or states & BEGUN:
                return
            raise _NotStarted("nothing was begun that it would put in order")
        bad = [need for need in step.needs if self._ended[need].result().state is not StepState.DONE]
        if bad:
            first = self._steps[bad[0]]
            raise _NotStarted(f"it needs {first.title} on {first.target}, which was not done")
        if self._halt:
            raise _NotStarted(self._halt)

    def _after_failure(self, step: Step, reason: str) -> None:
        member = self._halt_after(step)
        if self.policy is OnHostFailure.QUARANTINE and member is not None and not self._halt:
            self.members.quarantine(self.plan.cluster, step.target, MASKER.mask(reason))
            self._emit(Kind.MESSAGE, step, {"text": f"{step.target} is in quarantine: {reason}"})

    def _halt_after(self, step: Step) -> Member | None:
        """Start nothing more, if the policy or the host's role says so. Returns what is known of the host."""
        member = self.members.of(self.plan.cluster).get(step.target)
        if self.policy is OnHostFailure.STOP or (member is not None and member.role == NodeRole.CONTROL_PLANE.value):
            self._halt = self._halt or f"the run stopped when {step.title} failed on {step.target}"
        return member

    @staticmethod
    def _outcome(error: RaijinError | None) -> Outcome:
        if error is None:
            return Outcome(StepState.DONE)
        problem = masked_problem(error)
        if isinstance(error, _NotStarted):
            return Outcome(StepState.SKIPPED, problem)
        if isinstance(error, Cancelled):
            return Outcome(StepState.CANCELLED, problem)
        return Outcome(StepState.FAILED, problem)

    def _end(self, step_id: str, outcome: Outcome) -> None:
        if not self._ended[step_id].done():
            self._ended[step_id].set_result(outcome)

    def _emit(self, kind: Kind, step: Step, data: dict[str, object]) -> None:
        self.events.emit(Event(kind, self.run, step.id, step.target, data))


class _NotStarted(Cancelled):
    """A step that was not begun, and why."""


def seconds_since(start: float) -> float:
    return round(time.monotonic() - start, 3)


def unexpected(error: Exception, host: str) -> RaijinError:
    """A defect of ours, or of a library, as an error of the step: the run goes on to its ordered end."""
    wrapped = HostError(f"unexpected {type(error).__name__}: {error}", host=host, remedy="please report this defect")
    wrapped.detail = repr(error)
    return wrapped
