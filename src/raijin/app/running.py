"""Carrying plans out: apply, destroy, resume, cancel. Both a fresh plan and a saved one end in the same engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from raijin.app import asking
from raijin.app.meanwhile import Coming, engine_of, reached, switching_often
from raijin.app.session import Session
from raijin.app.verbs import VERBS
from raijin.errors import Cancelled, HostKeyMismatch, NotFound, PlanRefused, StalePlan, UsageError
from raijin.state import has_state

if TYPE_CHECKING:
    from raijin.app.asking import Ahead
    from raijin.app.planning import Planned
    from raijin.engine.service import Engine
    from raijin.plan.model import Plan
    from raijin.state.runs import RunRecord
    from raijin.transport.pool import Pool

Confirm: TypeAlias = "Callable[[Planned], bool]"


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it. run is None when there was nothing to do or the person said no."""

    planned: Planned
    run: RunRecord | None
    declined: bool = False


async def carry_out(
    session: Session,
    verb: str,
    confirm: Confirm,
    *,
    saved: Path | None = None,
    promised: Plan | None = None,
    force: bool = False,
) -> Finished:
    """Plan (or take up the saved plan, if nothing has moved), ask, run. Raises what planning or the run ends with.

    A plan that leads on is followed by the next one, in the same run; a promised one is carried out alone, because
    nobody has seen what follows.
    """
    promised = read_plan(saved) if saved else promised
    finished = await _round(session, verb, confirm, promised=promised, force=force)
    while finished.run is not None and _leads_on(finished.run):
        finished = await _further(session, verb, confirm, finished.run, force=force)
    return finished


async def _further(session: Session, verb: str, confirm: Confirm, begun: RunRecord, *, force: bool) -> Finished:
    """What a run leads on to: planned with what it has made, and carried out in it. However that ends, the run ends."""
    engine = engine_of(session)
    wanted = _not_cancelled(engine, begun.id)

    def agreed(planned: Planned) -> bool:
        return confirm(planned) and wanted()

    try:
        wanted()
        session.furnish()
        with engine.holding(begun.cluster):
            finished = await _round(session, verb, agreed, force=force, begun=begun)
    except Exception as error:
        if not engine.runs.get(begun.id).status.ended:
            engine.give_up(begun.id, error)
        raise
    if finished.run is None:
        declined = Cancelled("the rest was declined: machines were made, and nothing else", remedy="apply again")
        engine.give_up(begun.id, declined if finished.declined else None)
        return replace(finished, run=engine.runs.get(begun.id))
    return finished


def _not_cancelled(engine: Engine, run: str) -> Callable[[], bool]:
    """What raises Cancelled as soon as somebody wants the run to end."""

    def wanted() -> bool:
        if engine.runs.cancel_requested(run):
            raise Cancelled("the run was cancelled: machines were made, and nothing else", remedy="apply again")
        return True

    return wanted


async def _round(
    session: Session,
    verb: str,
    confirm: Confirm,
    *,
    promised: Plan | None = None,
    force: bool = False,
    begun: RunRecord | None = None,
) -> Finished:
    with switching_often(), incidents(session):
        async with asking.asking(session, verb) as ahead, reached(session, verb, ahead) as pool:
            return await _carry_out(session, verb, confirm, pool, ahead, promised=promised, force=force, begun=begun)


def _leads_on(run: RunRecord) -> bool:
    from raijin.engine.service import goes_on_after  # noqa: PLC0415

    return goes_on_after(run)


@contextmanager
def incidents(session: Session) -> Iterator[None]:
    """A host that is not who it was is an incident, also when it is only looked at."""
    try:
        yield
    except HostKeyMismatch as error:
        from raijin.app.auditing import refused_key  # noqa: PLC0415

        refused_key(session, error)
        raise


async def plan(session: Session, verb: str, *, force: bool = False) -> Planned:
    """A plan on its own. Writes nothing, here or on hosts."""
    with switching_often(), incidents(session):
        async with asking.asking(session, verb) as ahead, reached(session, verb, ahead) as pool:
            from raijin.app.planning import make_plan  # noqa: PLC0415

            return await make_plan(session, verb, pool, ahead, force=force)


async def _carry_out(
    session: Session,
    verb: str,
    confirm: Confirm,
    pool: Pool,
    ahead: Ahead | None,
    *,
    promised: Plan | None,
    force: bool,
    begun: RunRecord | None,
) -> Finished:
    from raijin.app.planning import make_plan  # noqa: PLC0415

    engine = Coming(session)
    # What was never run from here, changes the definition or is no `apply` has something to do, nearly always.
    if not session.has_state or session.pending is not None or not VERBS[verb].converges:
        engine.expect()
    planned = await make_plan(session, verb, pool, ahead, force=force, on_difference=engine.expect)
    if promised is not None:
        compare(promised, planned.plan)
    if planned.plan.empty:
        session.keep()
        _keep_asked(session, verb, planned, pool)
        return Finished(planned, None)
    engine.expect()
    if not confirm(planned):
        return Finished(planned, None, declined=True)
    session.keep()
    come = await engine.come()
    run = await _run(come, session, verb, planned, pool, begun=begun, alone=promised is not None)
    return Finished(planned, run)


async def _run(
    engine: Engine,
    session: Session,
    verb: str,
    planned: Planned,
    pool: Pool,
    *,
    begun: RunRecord | None,
    alone: bool,
) -> RunRecord:
    from raijin.app.supply import locator  # noqa: PLC0415

    latest = engine.runs.history(cluster=session.cluster.name, limit=1, planned=True)
    mine = begun is not None and latest and latest[0].id == begun.id
    if latest and not mine and (latest[0].finished or latest[0].created) > planned.at:
        raise StalePlan(
            f"the run {latest[0].id} changed the cluster while this plan was made",
            remedy="plan again and look at it",
        )
    if verb in {"apply", "replace", "restore"}:
        _remember_members(session, planned)
    _keep_given(session, verb)
    _keep_asked(session, verb, planned, pool)
    policy = session.cluster.policy.on_host_failure
    locate = locator(session, planned.plan)
    with audited(session, verb, planned.plan, begun.id if begun else "") as run:
        if begun is not None:
            return await engine.go_on(run, planned.plan, pool, locate)
        return await engine.start(planned.plan, pool, locate, policy, run=run, alone=alone)


@contextmanager
def audited(session: Session, verb: str, plan: Plan, run: str = "") -> Iterator[str]:
    """The trail says that the run begins, before it does, and how it ended. Gives the run's id."""
    from raijin.app import auditing, changed  # noqa: PLC0415
    from raijin.engine.service import new_run_id  # noqa: PLC0415

    run = run or session.run or new_run_id()
    if verb == "apply":
        changed.record(session, plan)  # before they are put back, and nobody sees them any more
    auditing.note(session, verb, "begun", run=run, plan=plan.digest, detail={"steps": len(plan.steps)})
    try:
        yield run
    except BaseException as error:
        auditing.outcome(session, verb, plan, error, run)
        raise
    auditing.outcome(session, verb, plan, None, run)
    if plan.verb == "apply" and not plan.leads_on:
        changed.followed(session, plan)


def _keep_asked(session: Session, verb: str, planned: Planned, pool: Pool) -> None:
    """For the next command, how the hosts of a whole cluster were reached and what they were asked."""
    if verb in {"destroy", "replace", "reset"}:
        asking.forget(session)
    elif VERBS[verb].leaves:
        asking.keep(session, pool.targets, planned.checks)


def _keep_given(session: Session, verb: str) -> None:
    """The secrets of the definition that programs need go where a run finds them, also when it is resumed."""
    from raijin.platforms import platform_of  # noqa: PLC0415
    from raijin.state.secrets import SecretStore  # noqa: PLC0415

    given = platform_of(session.cluster).given(session.cluster) if VERBS[verb].equips else {}
    store = SecretStore(session.home)
    for name, text in given.items():
        store.put(name, text)


def release(session: Session, hosts: Iterable[str]) -> list[str]:
    """Take hosts out of quarantine. Raises NotFound for one that is in none."""
    from raijin.app.auditing import note  # noqa: PLC0415
    from raijin.state.members import Members  # noqa: PLC0415

    members = Members(session.database)
    held = {name for name, member in members.of(session.cluster.name).items() if member.quarantine}
    for host in hosts:
        if host not in held:
            raise NotFound(f"{host} is not in quarantine", remedy=f"in quarantine: {', '.join(sorted(held)) or 'none'}")
    for host in hosts:
        members.quarantine(session.cluster.name, host, None)
        note(session, "release", "done", detail={"host": host})
    return list(hosts)


def _remember_members(session: Session, planned: Planned) -> None:
    """Before the first change: a host that a killed run has touched must be removable."""
    from raijin.app.targets import remembered  # noqa: PLC0415
    from raijin.state.member import Member  # noqa: PLC0415
    from raijin.state.members import Members  # noqa: PLC0415

    nodes = [node for node in planned.context.hosts if node.facts is not None]
    members = [Member(node.name, node.role.value, remembered(node.host)) for node in nodes]
    Members(session.database).remember(session.cluster.name, *members)


def read_plan(path: Path) -> Plan:
    """Raises UsageError when the file is missing or is no plan."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UsageError(f"there is no plan {path}", remedy="make one with `raijin plan --out`") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a plan: {error}", remedy="make one with `raijin plan --out`") from error
    from raijin.plan.codec import plan_from_json  # noqa: PLC0415

    return plan_from_json(data)


def compare(promised: Plan, fresh: Plan) -> None:
    """Raises StalePlan when what would be done now is not what was promised, naming the first differences."""
    if promised.digest == fresh.digest:
        return
    reasons = []
    if promised.definition != fresh.definition:
        reasons.append("the definition has changed")
    old, new = {step.id for step in promised.steps}, {step.id for step in fresh.steps}
    gone = [f"{s.title} on {s.target}" for s in promised.steps if s.id not in new]
    come = [f"{s.title} on {s.target}" for s in fresh.steps if s.id not in old]
    reasons += [f"no longer needed: {text}" for text in gone[:3]] + [f"needed now: {text}" for text in come[:3]]
    raise StalePlan(
        f"the plan is stale: {'; '.join(reasons) or 'the state of a host has moved'}",
        remedy="plan again and look at it",
    )


async def resume(
    session_of: Callable[[Plan], Session],
    home: Path,
    run: str,
    *,
    survivor: bool = False,
    further: Confirm | None = None,
    force: bool = False,
) -> RunRecord:
    """Go on with a run: killed, failed or cancelled. `session_of` opens the definition that the plan was made from.

    survivor: the runner that had it has died, and nobody asks. further: judges what a plan leads on to, planned with
    `force`; without it the run ends with what was planned, because nobody has seen more.
    """
    from raijin.app.reaching import departed_hosts, members_of, open_pool  # noqa: PLC0415
    from raijin.app.supply import locator  # noqa: PLC0415
    from raijin.plan.codec import plan_from_json  # noqa: PLC0415

    record = _stored(home, run)
    if not record.plan:
        raise PlanRefused(f"the run {record.id} has no plan", remedy="ask for it again")
    plan = plan_from_json(json.loads(record.plan), ours=True)
    session = session_of(plan)
    engine = engine_of(session)
    departing = [host for host, _ in departed_hosts(session, members_of(session))]
    async with open_pool(session, departing) as pool:
        with audited(session, f"{plan.verb} (resumed)", plan, record.id):
            locate, alone = locator(session, plan), further is None
            done = await engine.resume(record.id, pool, locate, survivor=survivor, alone=alone)
    while further is not None and _leads_on(done):
        done = (await _further(session, plan.verb, further, done, force=force)).run or done
    return done


def _stored(home: Path, run: str) -> RunRecord:
    if not has_state(home):
        raise NotFound(f"nothing was ever run from {home}", remedy="check RAIJIN_HOME; `raijin apply` begins a run")
    from raijin.state.database import open_database  # noqa: PLC0415
    from raijin.state.runs import Runs  # noqa: PLC0415

    return Runs(open_database(home)).get(run)
