"""The journal: what was recorded is there for the next process, in order, and tells what is left to do."""

from __future__ import annotations

import itertools
import time

import pytest

from raijin.errors import NotFound
from raijin.observe.events import Event, Kind
from raijin.state.runs import Runs, RunStatus, StepState

STEPS = [("a.alpha.1", "prepare", "alpha"), ("b.alpha.2", "join", "alpha"), ("b.beta.3", "join", "beta")]


@pytest.fixture
def runs(database, monkeypatch: pytest.MonkeyPatch) -> Runs:
    ticks = itertools.count(1_000_000.0)
    monkeypatch.setattr(time, "time", lambda: next(ticks))
    return Runs(database)


def made(runs: Runs, name: str = "20260101-000000-aaaa", cluster: str = "lab") -> str:
    runs.create(name, cluster=cluster, verb="apply", plan="{}", settings='{"policy": "STOP"}', steps=STEPS)
    return name


def test_a_new_run_has_all_its_steps_before_it(runs: Runs) -> None:
    record = runs.get(made(runs))
    assert (record.status, record.attempt, record.cancel, record.finished) == (RunStatus.RUNNING, 1, False, None)
    steps = runs.steps(record.id)
    assert [(s.step, s.stage, s.target) for s in steps] == STEPS
    assert {s.state for s in steps} == {StepState.WAITING}
    assert not record.status.ended


def test_a_run_of_no_steps(runs: Runs) -> None:
    runs.create("empty", cluster="lab", verb="apply", plan="{}", settings="{}", steps=[])
    assert runs.steps("empty") == []


def test_another_attempt_keeps_what_is_done_and_nothing_else(runs: Runs) -> None:
    run = made(runs)
    for step, state in zip(
        (s for s, _, _ in STEPS), (StepState.DONE, StepState.FAILED, StepState.SKIPPED), strict=True
    ):
        runs.step_started(run, step)
        runs.step_ended(run, step, state, seconds=1.5, error={"detail": "no"} if state is not StepState.DONE else None)
    runs.request_cancel(run)
    runs.finish(run, RunStatus.FAILED, {"detail": "one failed"})
    assert runs.get(run).error == {"detail": "one failed"}
    assert runs.next_attempt(run) == 2
    record = runs.get(run)
    assert (record.status, record.attempt, record.cancel) == (RunStatus.RUNNING, 2, False)
    assert (record.finished, record.error) == (None, None)
    assert [(s.state, s.error) for s in runs.steps(run)] == [(StepState.DONE, None), *[(StepState.WAITING, None)] * 2]


def test_tries_are_counted(runs: Runs) -> None:
    run = made(runs)
    for _ in range(3):
        runs.step_started(run, "a.alpha.1")
    assert [s.attempt for s in runs.steps(run)] == [3, 0, 0]
    assert runs.steps(run)[0].state is StepState.RUNNING


def test_a_run_is_found_by_its_beginning_and_by_latest(runs: Runs) -> None:
    for name in ("20260101-aaaa", "20260101-bbbb", "20260102-cccc"):
        made(runs, name)
    assert runs.get("20260102").id == "20260102-cccc"
    assert runs.get("latest").id == "20260102-cccc"
    assert runs.get("20260101-a").id == "20260101-aaaa"
    with pytest.raises(NotFound, match="several runs begin with 20260101"):
        runs.get("20260101")
    for absent in ("2027", "%", "_"):
        with pytest.raises(NotFound, match="there is no run"):
            runs.get(absent)


def test_latest_of_nothing(runs: Runs) -> None:
    with pytest.raises(NotFound):
        runs.get("latest")


def test_history_is_newest_first_and_by_cluster(runs: Runs) -> None:
    for name, cluster in (("one", "lab"), ("two", "other"), ("three", "lab")):
        made(runs, name, cluster)
    assert [r.id for r in runs.history()] == ["three", "two", "one"]
    assert [r.id for r in runs.history(cluster="lab")] == ["three", "one"]
    assert [r.id for r in runs.history(limit=1)] == ["three"]


def test_events_in_their_order_and_from_a_place_on(runs: Runs) -> None:
    run = made(runs)
    sent = [Event(Kind.MESSAGE, run, "a.alpha.1", "alpha", {"text": f"é {n}", "n": [n]}, at=float(n)) for n in range(5)]
    for event in sent:
        runs.record(event)
    runs.record(Event(Kind.MESSAGE, "another"))
    found = runs.events(run)
    assert [event for _, event in found] == sent
    assert [event for _, event in runs.events(run, after=found[2][0])] == sent[3:]
    assert [event for _, event in runs.events(run, limit=2)] == sent[:2]


def test_the_wish_to_cancel_reaches_the_other_process(runs: Runs) -> None:
    run = made(runs)
    assert not runs.cancel_requested(run)
    runs.request_cancel(run)
    assert runs.cancel_requested(run)
    assert not runs.cancel_requested("absent")


def test_lists_leave_plans_where_they_are(runs: Runs) -> None:
    """A plan of a thousand hosts is megabytes; a list of runs says of it only whether there is one."""
    text = "x" * 100_000
    runs.create("big", cluster="lab", verb="apply", plan=text, settings="{}", steps=[("a", "prepare", "alpha")])
    runs.finish("big", RunStatus.DONE, None)
    runs.ask("new", cluster="other", verb="apply", request={})
    assert {r.id: r.plan for r in runs.history()} == {"big": "{}", "new": ""}
    assert {r.id: r.plan for r in runs.newest(["lab", "other"]).values()} == {"big": "{}", "new": ""}
    assert [r.plan for r in runs.history(cluster="lab", plans=True)] == [text]
    assert runs.get("big").plan == text


def test_the_newest_runs_are_found_by_an_index(runs: Runs) -> None:
    with runs._engine.connect() as db:
        how = db.exec_driver_sql("EXPLAIN QUERY PLAN SELECT * FROM runs ORDER BY created DESC, id DESC LIMIT 50").all()
    assert "runs_by_time" in str(how)
    assert "TEMP B-TREE" not in str(how)


def test_the_latest_of_none(runs: Runs) -> None:
    with pytest.raises(NotFound, match=r"^there are no runs yet$") as caught:
        runs.get("latest")
    assert "raijin apply" in (caught.value.remedy or "")
