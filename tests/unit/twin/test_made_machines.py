"""Machines that a definition counts, for their whole life: made first, in the run that goes on, and given back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.twin.conftest import carried

from raijin.app import running
from raijin.app.planning import Planned
from raijin.app.rehearsing import Result, Stage
from raijin.app.session import Session
from raijin.app.workers import add_to_definition, remove_from_definition
from raijin.errors import Cancelled, MachineError, PlanRefused, RunFailed
from raijin.model.host import Host
from raijin.observe.waiting import hurried
from raijin.plan.codec import plan_from_json
from raijin.state.locks import Locks
from raijin.state.runs import RunRecord, Runs, RunStatus
from raijin.state.snapshot import read_machines
from raijin.state.tables import LOCKS
from raijin.twin.machines import TwinProvider

COUNTED = """
kind: Cluster
name: edge
type: VANILLA
version: v1.34.2
nodeGroups:
  - name: server
    role: CONTROL_PLANE
    count: 1
  - name: workers
    role: WORKER
    count: 2
    placement: {preferredNodes: [hv1, hv2], antiAffinity: SOFT}
    template:
      cloudInit: {packages: [jq], runCmd: ["touch /srv/here"]}
"""


def yes(_: object) -> bool:
    return True


def resized(stage: Stage, count: int) -> None:
    """The file says another count, and the next command reads it."""
    (file,) = stage.session.paths
    file.write_text(COUNTED.replace("count: 2", f"count: {count}"))
    for read in ("definition", "cluster"):
        stage.session.__dict__.pop(read)


def runs(stage: Stage) -> list[RunRecord]:
    return Runs(stage.session.database).history(plans=True)


def machines(stage: Stage) -> list[str]:
    return [machine.name for machine in read_machines(stage.session.home, ["edge"])]


def test_they_are_made_first_and_the_run_goes_on(staged) -> None:
    shown = []

    async def work(stage: Stage) -> Result:
        return await stage.perform(lambda planned: shown.append(planned.plan) or True)

    result, stage = staged(work, COUNTED)
    assert (result.error, result.later) == (None, [])
    first, second = shown
    assert first.leads_on
    assert not second.leads_on
    assert [(step.stage, step.target) for step in first.steps] == [
        ("make", "edge-server-1"),
        ("make", "edge-workers-1"),
        ("make", "edge-workers-2"),
    ]
    assert [step.changes[0].after for step in first.steps] == [
        "made by rehearsal",
        "made by rehearsal on hv1",
        "made by rehearsal on hv2",
    ]
    (run,) = runs(stage)
    assert run.status is RunStatus.DONE
    assert [step.id for step in plan_from_json(json.loads(run.plan)).steps] == [
        step.id for step in (*first.steps, *second.steps)
    ]
    assert [node.name for node in result.nodes if node.ready] == ["edge-server-1", "edge-workers-1", "edge-workers-2"]
    assert stage.site.hosts["edge-workers-1"].things["package", "jq"]
    assert "jq" not in {name for kind, name in stage.site.hosts["edge-server-1"].things if kind == "package"}


def test_the_first_boot_is_done_once(staged) -> None:
    """Another command in the file is for machines that come later."""

    async def work(stage: Stage) -> list[str]:
        await carried(stage)
        (file,) = stage.session.paths
        file.write_text(COUNTED.replace("touch /srv/here", "touch /srv/there").replace("[jq]", "[jq, curl, htop]"))
        for read in ("definition", "cluster"):
            stage.session.__dict__.pop(read)
        with hurried():
            return [step.stage for step in (await running.plan(stage.session, "apply")).plan.steps]

    again, _ = staged(work, COUNTED)
    assert again == []


def test_the_group_grows_and_shrinks(staged) -> None:
    async def work(stage: Stage) -> list[list[str]]:
        await carried(stage)
        seen = [machines(stage)]
        for count in (3, 1):
            resized(stage, count)
            result = await stage.perform(yes)
            assert (result.error, result.later) == (None, [])
            seen.append(machines(stage))
            assert sorted(seen[-1]) == sorted(stage.site.hosts)
            assert {node.name for node in result.nodes} == set(seen[-1])
        return seen

    seen, stage = staged(work, COUNTED)
    assert seen == [
        ["edge-server-1", "edge-workers-1", "edge-workers-2"],
        ["edge-server-1", "edge-workers-1", "edge-workers-2", "edge-workers-3"],
        ["edge-server-1", "edge-workers-1"],
    ]
    order = [step.stage for step in plan_from_json(json.loads(runs(stage)[0].plan)).steps]
    assert order.index("drain") < order.index("forget") < order.index("give-back")


def test_a_destroyed_cluster_has_no_machines(staged) -> None:
    async def work(stage: Stage) -> Result:
        await carried(stage)
        stage.wish = replace(stage.wish, verb="destroy")
        return await stage.perform(yes)

    gone, stage = staged(work, COUNTED)
    assert (gone.error, gone.later, machines(stage), stage.site.hosts) == (None, [], [], {})


def test_a_promised_plan_makes_the_machines_and_nothing_that_nobody_has_seen(staged) -> None:
    async def work(stage: Stage) -> running.Finished:
        with hurried():
            promised = (await running.plan(stage.session, "apply")).plan
            return await running.carry_out(stage.session, "apply", yes, promised=promised)

    finished, stage = staged(work, COUNTED)
    assert finished.run.status is RunStatus.DONE
    assert len(finished.planned.plan.steps) == len(machines(stage)) == 3
    assert stage.site.cluster is None
    assert Locks(stage.session.database).held("cluster/edge") is None


def test_who_declines_the_rest_keeps_the_machines_and_nothing_unseen_is_done_later(staged) -> None:
    answers = iter((True, False))

    async def work(stage: Stage) -> tuple[running.Finished, RunRecord]:
        with hurried():
            finished = await running.carry_out(stage.session, "apply", lambda _: next(answers))
            assert finished.declined
            assert Locks(stage.session.database).held("cluster/edge") is None
            again = await running.resume(lambda _: stage.session, stage.session.home, "latest")
            return finished, again

    (finished, again), stage = staged(work, COUNTED)
    assert finished.run.status is RunStatus.CANCELLED
    assert finished.run.error["type"] == Cancelled("").problem()["type"]
    assert (again.id, again.status, len(machines(stage))) == (finished.run.id, RunStatus.DONE, 3)
    assert stage.site.cluster is None
    assert Locks(stage.session.database).held("cluster/edge") is None


def test_who_goes_on_and_may_judge_the_rest_goes_on_to_the_end(staged) -> None:
    answers = iter((True, False))

    async def work(stage: Stage) -> RunRecord:
        with hurried():
            await running.carry_out(stage.session, "apply", lambda _: next(answers))
            return await running.resume(lambda _: stage.session, stage.session.home, "latest", further=yes)

    again, stage = staged(work, COUNTED)
    assert (again.status, stage.site.cluster is not None) == (RunStatus.DONE, True)


def test_a_run_that_is_cancelled_between_does_nothing_more(staged, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Session.furnish

    async def work(stage: Stage) -> None:
        def furnish(session: Session) -> None:
            begin(session)
            (run,) = runs(stage)
            Runs(session.database).request_cancel(run.id)

        monkeypatch.setattr(Session, "furnish", furnish)
        with hurried(), pytest.raises(Cancelled, match="machines were made, and nothing else"):
            await running.carry_out(stage.session, "apply", yes)

    _, stage = staged(work, COUNTED)
    assert (runs(stage)[0].status, stage.site.cluster, len(machines(stage))) == (RunStatus.CANCELLED, None, 3)


def test_the_lock_is_kept_while_a_person_reads_the_second_plan(staged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raijin.engine.service.RENEW_SECONDS", 0.05)
    kept = []

    async def work(stage: Stage) -> None:
        def confirm(planned: Planned) -> bool:
            if not planned.plan.leads_on:
                before = expiry(stage)
                time.sleep(0.4)  # as somebody who reads: the loop stands still
                kept.append(expiry(stage) > before)
            return True

        with hurried():
            await running.carry_out(stage.session, "apply", confirm)

    staged(work, COUNTED)
    assert kept == [True]


def expiry(stage: Stage) -> float:
    with stage.session.database.connect() as db:
        return float(db.execute(LOCKS.select()).one().expires)


@pytest.mark.parametrize("fault", ["dead-host=edge-server-1"])
def test_what_cannot_be_planned_then_ends_the_run_and_frees_the_cluster(staged, fault: str) -> None:
    async def work(stage: Stage) -> Result:
        result = await stage.perform(yes)
        assert result.error is not None
        assert Locks(stage.session.database).held("cluster/edge") is None
        (run,) = runs(stage)
        assert run.status is RunStatus.FAILED
        stage.site.hosts["edge-server-1"].up = True
        with hurried():
            return await running.resume(lambda _: stage.session, stage.session.home, "latest", further=yes)

    again, stage = staged(work, COUNTED, fault, then_empty=False)
    assert again.status is RunStatus.DONE
    assert [run.id for run in runs(stage)] == [again.id]


def test_a_machine_that_cannot_be_made_fails_its_run_alone(staged, monkeypatch: pytest.MonkeyPatch) -> None:
    make: Callable[..., object] = TwinProvider.create
    broken = {"edge-workers-2"}

    async def create(self, requests, progress=None):
        if broken & {request.name for request in requests}:
            raise MachineError("no room on hv2")
        return await make(self, requests, progress)

    monkeypatch.setattr(TwinProvider, "create", create)

    async def work(stage: Stage) -> RunRecord:
        result = await stage.perform(yes)
        assert result.error["type"] == RunFailed("").problem()["type"]
        assert machines(stage) == ["edge-server-1", "edge-workers-1", "edge-workers-2"]
        assert [m.name for m in read_machines(stage.session.home, ["edge"]) if m.begun] == ["edge-workers-2"]
        broken.clear()
        with hurried():
            return await running.resume(lambda _: stage.session, stage.session.home, "latest", further=yes)

    again, stage = staged(work, COUNTED, then_empty=False)
    assert again.status is RunStatus.DONE
    assert len(machines(stage)) == 3


def test_workers_that_are_named_come_beside_those_that_are_counted(staged) -> None:
    async def work(stage: Stage) -> list[tuple[str, tuple[str, ...]]]:
        await carried(stage)
        with pytest.raises(PlanRefused, match="one of the machines that workers counts"):
            remove_from_definition(stage.session, "edge-workers-1")
        with pytest.raises(PlanRefused, match="counted, not named"):
            add_to_definition(stage.session, "x1", address="192.0.2.9", role="worker", group="workers")
        add_to_definition(stage.session, "x1", address="192.0.2.9", role="worker", group=None)
        return [(group.name, group.hosts) for group in stage.session.cluster.node_groups]

    groups, _ = staged(work, f"kind: Site\nhosts: []\n---{COUNTED}")
    assert groups == [
        ("server", ("edge-server-1",)),
        ("workers", ("edge-workers-1", "edge-workers-2")),
        ("named-workers", ("x1",)),
    ]


def test_a_host_of_the_site_keeps_its_name(staged) -> None:
    site = "kind: Site\nhosts: [{name: edge-workers-1, address: 192.0.2.9}]\n---"

    async def work(stage: Stage) -> None:
        raise AssertionError("it cannot come to that")

    with pytest.raises(PlanRefused, match="bear the names of machines that are made for a cluster: edge-workers-1"):
        staged(work, site + COUNTED)


def test_what_was_only_begun_is_given_back_too(staged, monkeypatch: pytest.MonkeyPatch) -> None:
    make: Callable[..., object] = TwinProvider.create

    async def create(self, requests, progress=None):
        made = await make(self, requests, progress)
        if any(request.name == "edge-workers-2" for request in requests):
            raise MachineError("it does not answer by SSH")
        return made

    monkeypatch.setattr(TwinProvider, "create", create)

    async def work(stage: Stage) -> Result:
        await stage.perform(yes)
        assert "edge-workers-2" in stage.site.hosts
        stage.wish = replace(stage.wish, verb="destroy")
        return await stage.perform(yes)

    gone, stage = staged(work, COUNTED)
    assert (gone.error, gone.later, machines(stage), stage.site.hosts) == (None, [], [], {})


def test_a_machine_that_somebody_else_made_is_left_alone(staged) -> None:
    async def work(stage: Stage) -> Result:
        stage.site.add(Host.model_validate({"name": "edge-workers-1", "address": "198.18.9.9"}))
        result = await stage.perform(yes)
        assert "edge-workers-1" not in machines(stage)
        return result

    result, stage = staged(work, COUNTED, then_empty=False)
    assert result.exit_code == RunFailed.exit_code
    errors = [str(step.error["detail"]) for step in Runs(stage.session.database).steps(runs(stage)[0].id) if step.error]
    assert any("has a machine edge-workers-1 already" in text for text in errors)


def test_the_group_comes_back_from_none(staged) -> None:
    async def work(stage: Stage) -> list[int]:
        await carried(stage)
        left = []
        for count in (0, 1):
            resized(stage, count)
            result = await stage.perform(yes)
            assert (result.error, result.later) == (None, [])
            left.append(len(machines(stage)))
        return left

    left, _ = staged(work, COUNTED)
    assert left == [1, 2]


def test_a_cluster_whose_control_plane_is_counted_anew_can_still_be_ended(staged) -> None:
    async def work(stage: Stage) -> Result:
        await carried(stage)
        (file,) = stage.session.paths
        file.write_text(COUNTED.replace("name: server", "name: other"))
        for read in ("definition", "cluster"):
            stage.session.__dict__.pop(read)
        stage.wish = replace(stage.wish, verb="destroy")
        return await stage.perform(yes)

    gone, stage = staged(work, COUNTED)
    assert (gone.error, gone.later, machines(stage)) == (None, [], [])


@pytest.mark.parametrize("verb", ["renew", "backup", "rotate-ca"])
def test_before_there_is_a_machine_a_verb_says_so(staged, verb: str) -> None:
    async def work(stage: Stage) -> None:
        with pytest.raises(PlanRefused):
            await running.plan(stage.session, verb)

    staged(work, COUNTED)


def test_a_scaled_rehearsal_counts_more(rehearse) -> None:
    result, _ = rehearse(COUNTED, hosts=9)
    assert (result.error, result.later, len(result.nodes)) == (None, [], 9)


def test_two_that_must_not_share_a_hypervisor_are_refused(rehearse) -> None:
    text = COUNTED.replace("SOFT", "HARD").replace("count: 2", "count: 3")
    result, _ = rehearse(text, then_empty=False)
    assert "3 machines, and hv1, hv2" in str(result.error["detail"])
