"""Machines that a definition counts, for their whole life: made first, in the run that goes on, and given back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.twin.conftest import carried

from raijin.app import running
from raijin.app.rehearsing import Result, Stage
from raijin.app.workers import add_to_definition, remove_from_definition
from raijin.errors import Cancelled, PlanRefused, RunFailed
from raijin.observe.waiting import hurried
from raijin.plan.codec import plan_from_json
from raijin.state.locks import Locks
from raijin.state.runs import RunRecord, Runs, RunStatus
from raijin.state.snapshot import read_machines

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


def test_who_declines_the_rest_keeps_the_machines_and_can_go_on(staged) -> None:
    answers = iter((True, False))

    async def work(stage: Stage) -> running.Finished:
        with hurried():
            finished = await running.carry_out(stage.session, "apply", lambda _: next(answers))
            assert finished.declined
            assert Locks(stage.session.database).held("cluster/edge") is None
            stage.session.furnish()
            again = await running.resume(lambda _: stage.session, stage.session.home, "latest")
            return finished, again

    (finished, again), stage = staged(work, COUNTED)
    assert finished.run.status is RunStatus.CANCELLED
    assert finished.run.error["type"] == Cancelled("").problem()["type"]
    assert (again.id, again.status) == (finished.run.id, RunStatus.DONE)
    assert stage.site.cluster is not None


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
            return await running.resume(lambda _: stage.session, stage.session.home, "latest")

    again, stage = staged(work, COUNTED, fault, then_empty=False)
    assert again.status is RunStatus.DONE
    assert [run.id for run in runs(stage)] == [again.id]


def test_a_machine_that_cannot_be_made_fails_its_run_alone(staged, monkeypatch: pytest.MonkeyPatch) -> None:
    from raijin.errors import MachineError
    from raijin.twin.machines import TwinProvider

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
        assert machines(stage) == ["edge-server-1", "edge-workers-1"]
        broken.clear()
        with hurried():
            return await running.resume(lambda _: stage.session, stage.session.home, "latest")

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
        with pytest.raises(PlanRefused, match="edge-workers-1 would bear the names of hosts"):
            await running.plan(stage.session, "apply")

    staged(work, site + COUNTED)


def test_two_that_must_not_share_a_hypervisor_are_refused(rehearse) -> None:
    text = COUNTED.replace("SOFT", "HARD").replace("count: 2", "count: 3")
    result, _ = rehearse(text, then_empty=False)
    assert "3 machines, and hv1, hv2" in str(result.error["detail"])
