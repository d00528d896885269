"""The policy of a run, without the durable shell around it: who may start when, what a failure or a cancel stops.

Laws: a step starts when all that it needs is done, and only then; each step ends once; a failure costs what depends on
it and, by policy, what has not begun; nothing is left running or waiting.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raijin.engine.programs import ProgramRunner
from raijin.engine.runner import Runner
from raijin.errors import Cancelled, HostUnreachable, OperationFailed, RaijinError, RunFailed
from raijin.model.policy import OnHostFailure
from raijin.observe.events import Events, Kind
from raijin.observe.masking import MASKER
from raijin.observe.waiting import until
from raijin.operations.base import unresolved
from raijin.plan.model import Call, Plan, Step
from raijin.state.member import Member
from raijin.state.members import Members
from raijin.state.runs import RunStatus, StepState
from raijin.state.secrets import SecretStore

NUMBERS = itertools.count()


@pytest.fixture
def runner(bench):
    """`runner(steps, ...)` is a Runner of a run that is in the journal."""

    def make(*steps: Step, policy: OnHostFailure = OnHostFailure.STOP, run: str = "", attempt: int = 1) -> Runner:
        name = run or f"run-{next(NUMBERS)}"
        runs, members = bench.engine.runs, Members(bench.engine.database)
        if not run:
            rows = [(step.id, step.stage, step.target) for step in steps]
            runs.create(name, cluster="lab", verb="apply", plan="{}", settings="{}", steps=rows)
        events = Events(runs.record, bench.events.append)
        programs = ProgramRunner(name, f"{name}-{attempt}", bench.pool, events, unresolved, bench.locate)
        store, plan = SecretStore(bench.home), Plan("apply", "lab", steps)
        return Runner(name, attempt, plan, policy, bench.engine.handlers, programs, runs, members, store, events)

    return make


async def drive(runner: Runner, *, prepare: bool = True) -> tuple[RunStatus, RaijinError | None]:
    """What `durable` does with a runner, without durability."""
    if prepare:
        runner.prepare()
    await runner.carry_out()
    return runner.result()


def states(bench, runner: Runner) -> dict[str, str]:
    return {record.step: str(record.state) for record in bench.engine.runs.steps(runner.run)}


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[str, tuple[str, ...]]]:
    count = draw(st.integers(1, 8))
    names = [f"s{n}" for n in range(count)]
    earlier = [names[:n] for n in range(count)]
    wanted = [draw(st.lists(st.sampled_from(some), unique=True)) if some else [] for some in earlier]
    return list(zip(names, map(tuple, wanted), strict=True))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs(), luck=st.tuples(st.sets(st.integers(0, 7)), st.integers(1, 4)))
def test_each_step_waits_for_its_needs_and_runs_at_most_once(bench, runner, make, graph, luck) -> None:
    bad, limit = {f"s{n}" for n in luck[0]}, luck[1]
    now: set[str] = set()
    most = 0
    ended: list[str] = []
    needs = dict(graph)

    async def work(context) -> None:
        nonlocal most
        name = context.text("name")
        assert set(needs[name]) <= set(ended)
        now.add(name)
        most = max(most, len(now))
        await asyncio.sleep(0)
        now.discard(name)
        if name in bad:
            raise OperationFailed("no")
        ended.append(name)

    bench.done.clear()
    bench.does = {name: work for name, _ in graph}
    made = runner(*(make["call"](name, *wants, target=name) for name, wants in graph), policy=OnHostFailure.SKIP)
    made.parallel = limit
    asyncio.run(drive(made))
    reached = {name for name, _ in graph}
    for name, wants in graph:
        if any(want in bad or want not in reached for want in wants):
            reached.discard(name)
    assert most <= limit
    assert sorted(bench.done) == sorted(reached)
    expected = {n: "skipped" if n not in reached else "failed" if n in bad else "done" for n in needs}
    assert states(bench, made) == expected


async def test_what_does_not_depend_runs_at_the_same_time(bench, runner, make) -> None:
    meeting = asyncio.Barrier(3)

    async def meet(_: object) -> None:
        async with asyncio.timeout(5):
            await meeting.wait()

    bench.does = dict.fromkeys("abc", meet)
    status, error = await drive(runner(*(make["call"](name, target=name) for name in "abc")))
    assert (status, error) == (RunStatus.DONE, None)


async def failing(context) -> None:
    raise OperationFailed("the disk is full", host=context.target, remedy="free space", detail="long output")


async def test_stop_lets_what_is_in_hand_end_and_starts_nothing_more(bench, runner, make) -> None:
    failed, call = asyncio.Event(), make["call"]

    async def fail(context) -> None:
        failed.set()
        await failing(context)

    async def slow(_: object) -> None:
        await failed.wait()
        await asyncio.sleep(0.02)

    bench.does = {"bad": fail, "slow": slow}
    made = runner(call("bad"), call("slow", target="beta"), call("next", "slow", target="beta"), call("after", "bad"))
    status, error = await drive(made)
    assert states(bench, made) == {"bad": "failed", "slow": "done", "next": "skipped", "after": "skipped"}
    assert bench.done == ["bad", "slow"]
    assert status is RunStatus.FAILED
    assert isinstance(error, RunFailed)
    cause = (bench.engine.runs.steps(made.run)[0].error or {})["detail"]
    title = made.plan.steps[0].title
    assert str(error) == f"1 of 4 steps failed (alpha), 2 were not started; first {title} on alpha: {cause}"
    assert error.remedy == f"mend the cause, then `raijin run resume {made.run}`"


async def test_the_journal_tells_why_a_step_failed_or_was_not_begun(bench, runner, make) -> None:
    bench.does = {"bad": failing}
    made = runner(make["call"]("bad"), make["call"]("after", "bad", target="beta"))
    await drive(made)
    bad, after = bench.engine.runs.steps(made.run)
    assert bad.error
    assert after.error
    assert (bad.error["detail"], bad.error["host"], bad.error["exit_code"]) == ("the disk is full", "alpha", 10)
    assert (bad.error["remedy"], bad.error["output"]) == ("free space", "long output")
    assert after.error["detail"] == "it needs do bad on alpha, which was not done"
    assert (bad.seconds is not None, after.seconds) == (True, None)


@pytest.mark.parametrize("policy", [OnHostFailure.SKIP, OnHostFailure.QUARANTINE])
async def test_one_bad_host_does_not_stop_the_others(bench, runner, make, policy) -> None:
    call = make["call"]
    members = Members(bench.engine.database)
    for host in ("alpha", "beta"):
        members.remember("lab", Member(host, "WORKER", {}))
    MASKER.add("the-secret-word")

    async def fail(context) -> None:
        raise HostUnreachable("it said the-secret-word", host=context.target)

    bench.does = {"a1": fail}
    made = runner(
        call("a1"), call("a2", "a1"), call("b1", target="beta"), call("b2", "b1", target="beta"), policy=policy
    )
    status, _ = await drive(made)
    assert states(bench, made) == {"a1": "failed", "a2": "skipped", "b1": "done", "b2": "done"}
    assert status is RunStatus.FAILED
    held = {name: member.quarantine for name, member in members.of("lab").items()}
    reason = "alpha: it said ***" if policy is OnHostFailure.QUARANTINE else None
    assert held == {"alpha": reason, "beta": None}


@pytest.mark.parametrize("policy", [OnHostFailure.SKIP, OnHostFailure.QUARANTINE])
async def test_a_control_plane_that_fails_stops_the_run_whatever_the_policy(bench, runner, make, policy) -> None:
    Members(bench.engine.database).remember("lab", Member("alpha", "CONTROL_PLANE", {}))
    bench.does = {"a": failing}
    made = runner(make["call"]("a"), make["call"]("b", target="beta"), policy=policy)
    made.parallel = 1
    await drive(made)
    assert states(bench, made) == {"a": "failed", "b": "skipped"}
    assert Members(bench.engine.database).of("lab")["alpha"].quarantine is None


async def test_a_cluster_is_never_put_into_quarantine(bench, runner, make) -> None:
    bench.does = {"a": failing}
    await drive(runner(make["call"]("a", target="lab"), policy=OnHostFailure.QUARANTINE))
    assert Members(bench.engine.database).of("lab") == {}


async def test_a_defect_ends_one_step_in_order(bench, runner, make) -> None:
    async def defect(_: object) -> None:
        raise KeyError("nothing of ours")

    bench.does = {"a": defect}
    made = runner(make["call"]("a"), make["call"]("b", target="beta"), policy=OnHostFailure.SKIP)
    status, _ = await drive(made)
    assert status is RunStatus.FAILED
    assert states(bench, made) == {"a": "failed", "b": "done"}
    error = bench.engine.runs.steps(made.run)[0].error
    assert error
    assert error["detail"] == "unexpected KeyError: 'nothing of ours'"


async def test_a_call_that_nobody_knows(bench, runner) -> None:
    made = runner(Step("a", "stage", "alpha", "do a", Call("from.the-future", {})))
    await drive(made)
    error = bench.engine.runs.steps(made.run)[0].error
    assert error
    assert (error["detail"], error["exit_code"]) == ("this Raijin does not know how to do from.the-future", 18)


async def test_a_step_that_does_not_end(bench, runner, make) -> None:
    async def hang(_: object) -> None:
        await asyncio.sleep(60)

    bench.does = {"a": hang}
    made = runner(make["call"]("a", timeout=-29.95))  # the engine gives every step 30 seconds on top
    await drive(made)
    error = bench.engine.runs.steps(made.run)[0].error
    assert error
    assert "do a: no end after" in str(error["detail"])
    assert error["exit_code"] == 14


async def test_events_tell_the_story_in_order(bench, runner, make) -> None:
    async def talk(context) -> None:
        context.say("half way")

    bench.does = {"a": talk, "b": failing}
    made = runner(make["call"]("a"), make["call"]("b", "a"))
    await drive(made)
    told = [(event.kind, event.step, event.data.get("state") or event.data.get("text")) for event in bench.events]
    assert told == [
        (Kind.STEP_STARTED, "a", None),
        (Kind.MESSAGE, "a", "half way"),
        (Kind.STEP_FINISHED, "a", "done"),
        (Kind.STEP_STARTED, "b", None),
        (Kind.STEP_FINISHED, "b", "failed"),
    ]
    assert [event for _, event in bench.engine.runs.events(made.run)] == bench.events


# -- cancelling --


async def begun(bench, *names: str) -> None:
    async def look() -> str:
        return "" if set(names) <= set(bench.done) else f"{bench.done} have begun"

    await until("the steps to begin", look, timeout=5, interval=0.005)


async def test_cancelling_interrupts_waits_and_starts_nothing_more(bench, runner, make) -> None:
    async def wait(_: object) -> None:
        await asyncio.sleep(60)

    bench.does = {"a": wait}
    made = runner(make["call"]("a"), make["call"]("b", "a"), make["call"]("c", target="beta"))
    running = asyncio.create_task(drive(made))
    await begun(bench, "a", "c")
    await made.cancel()
    status, error = await running
    assert status is RunStatus.CANCELLED
    assert isinstance(error, Cancelled)
    assert str(error) == "the run was cancelled; no host is in the middle of a change"
    assert states(bench, made) == {"a": "cancelled", "b": "skipped", "c": "done"}


async def test_cancelling_lets_the_operation_in_hand_end_and_says_where(bench, runner, make, tmp_path: Path) -> None:
    """The first operation waits for the stop file: it ends whole, the second is not begun."""
    host, one, two = bench.pool.host("alpha"), tmp_path / "one", tmp_path / "two"
    stopped = f"ls {host.folder}/volatile/raijin.stop.* >/dev/null 2>&1"
    wait = f"n=0; while [ $n -lt 500 ] && ! {stopped}; do sleep 0.01; n=$((n+1)); done"
    first = make["command"]("the first", f": >{tmp_path}/begun; {wait}; echo 1 >{one}", one)
    made = runner(make["program"]("a", first, make["command"]("the second", f"echo 2 >{two}", two)))
    running = asyncio.create_task(drive(made))

    async def look() -> str:
        return "" if (tmp_path / "begun").exists() else "the program has not begun"

    await until("the program", look, timeout=5, interval=0.01)
    await made.cancel()
    status, error = await running
    assert status is RunStatus.CANCELLED
    assert (one.exists(), two.exists()) == (True, False)
    assert "in the middle: alpha in do a (stopped after 1 of 2 operations)" in str(error)
    assert states(bench, made) == {"a": "cancelled"}


async def test_a_host_that_does_not_answer_does_not_keep_the_others_from_stopping(bench, runner, make) -> None:
    dead, alive = bench.pool.host("alpha"), bench.pool.host("beta")
    dead.hang, alive.hang = asyncio.Event(), asyncio.Event()
    steps = [make["program"](name, target=target) for name, target in (("a", "alpha"), ("b", "beta"))]
    made = runner(*steps)
    running = asyncio.create_task(drive(made))

    async def sent() -> str:
        return "" if dead.scripts and alive.scripts else "not yet"

    await until("both to run", sent, timeout=5, interval=0.005)
    alive.hang.set()  # its second script, the stop, is answered at once
    stopping = asyncio.create_task(made.cancel())
    try:
        await asyncio.wait_for(asyncio.shield(stopping), 0.5)
        assert any("raijin.stop" in script for script in alive.scripts)
    finally:
        dead.hang.set()
        await asyncio.gather(running, stopping)


async def test_cancelling_does_not_deny_that_a_host_failed_in_the_middle(bench, runner, make, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    operations = [make["command"]("works", f"echo >{one}", one), make["command"]("breaks", "exit 1", two)]

    async def wait(_: object) -> None:
        await asyncio.sleep(60)

    bench.does = {"b": wait}
    made = runner(make["program"]("a", *operations), make["call"]("b", target="beta"), policy=OnHostFailure.SKIP)
    running = asyncio.create_task(drive(made))

    async def failed() -> str:
        return "" if states(bench, made)["a"] == "failed" else "not yet"

    await begun(bench, "b")
    await until("the failure", failed, timeout=5, interval=0.01)
    await made.cancel()
    _, error = await running
    assert "no host is in the middle" not in str(error)
    assert "alpha" in str(error)


# -- going on --


def journal(bench, steps: list[Step], ended: dict[str, StepState]) -> str:
    """A run whose process was killed after these steps had ended."""
    run = f"run-{next(NUMBERS)}"
    rows = [(step.id, step.stage, step.target) for step in steps]
    bench.engine.runs.create(run, cluster="lab", verb="apply", plan="{}", settings="{}", steps=rows)
    for name, state in ended.items():
        error = None if state is StepState.DONE else OperationFailed("as before", host="alpha").problem()
        bench.engine.runs.step_ended(run, name, state, seconds=1.0, error=error)
    return run


async def test_what_has_ended_is_not_done_again(bench, runner, make) -> None:
    steps = [make["call"]("a"), make["call"]("b", "a"), make["call"]("c", "b")]
    made = runner(*steps, run=journal(bench, steps, {"a": StepState.DONE, "b": StepState.RUNNING}))
    assert await drive(made) == (RunStatus.DONE, None)
    assert bench.done == ["b", "c"]


async def test_a_failure_before_the_kill_still_stops_the_run(bench, runner, make) -> None:
    """Law: killed and resumed, a run ends as it would have ended undisturbed."""
    steps = [make["call"]("a"), make["call"]("b", target="beta")]
    made = runner(*steps, run=journal(bench, steps, {"a": StepState.FAILED}))
    status, _ = await drive(made)
    assert status is RunStatus.FAILED
    assert bench.done == []
    assert states(bench, made) == {"a": "failed", "b": "skipped"}


def joining(make) -> list[Step]:
    return [
        make["call"]("token", renewed=True),
        *(make["call"](f"join-{h}", "token", target=h) for h in ("x", "y", "z")),
    ]


async def test_in_one_process_a_token_is_made_once(bench, runner, make) -> None:
    assert await drive(runner(*joining(make))) == (RunStatus.DONE, None)
    assert sorted(bench.done) == ["join-x", "join-y", "join-z", "token"]


async def test_in_another_process_a_token_is_made_again_once_and_first(bench, runner, make) -> None:
    steps = joining(make)
    made = runner(*steps, run=journal(bench, steps, {"token": StepState.DONE, "join-x": StepState.DONE}))
    assert await drive(made) == (RunStatus.DONE, None)
    assert bench.done[0] == "token"
    assert sorted(bench.done) == ["join-y", "join-z", "token"]


async def test_a_token_that_nobody_needs_any_more_is_not_made_again(bench, runner, make) -> None:
    steps = [make["call"]("token", renewed=True), make["call"]("join", "token"), make["call"]("last", "join")]
    made = runner(*steps, run=journal(bench, steps, {"token": StepState.DONE, "join": StepState.DONE}))
    assert await drive(made) == (RunStatus.DONE, None)
    assert bench.done == ["last"]


async def test_a_renewal_that_failed_is_tried_again(bench, runner, make) -> None:
    answers = iter([HostUnreachable("not now", host="lab"), None])

    async def make_token(_: object) -> None:
        if error := next(answers):
            raise error

    bench.does = {"token": make_token}
    steps = [make["call"]("token", renewed=True), make["call"]("join", "token")]
    made = runner(*steps, run=journal(bench, steps, {"token": StepState.DONE}))
    made.prepare()
    with pytest.raises(HostUnreachable):
        await made.perform("join")
    await made.perform("join")
    assert bench.done == ["token", "token", "join"]
