"""The laws of a lifecycle, on make-believe hosts: apply -> empty -> change -> empty -> destroy -> nothing left.

And what must never be planned: a control plane that is started twice, a second cluster beside the first, a change of
hosts that a change of the definition is not about.
"""

from __future__ import annotations

from functools import partial

import pytest
from tests.plans.reading import before, emptied, stages, step

from raijin.lifecycle.preflight import preflight
from raijin.plan.model import Disruption, Plan, Retry


@pytest.fixture
def minimal(world):
    """A cluster of n1, w1 and w2 that was applied."""
    fresh = world("minimal")
    return fresh.carry_out(fresh.plan())


@pytest.fixture
def edited(minimal):
    return partial(minimal.edited, "minimal")


ADD_W3 = (("---", "  - name: w3\n    address: 192.0.2.23\n---"), ("[w1, w2]", "[w1, w2, w3]"))
WITHOUT_W2 = (("[w1, w2]", "[w1]"),)


@pytest.mark.parametrize("example", ["minimal", "single-host"])
def test_from_nothing_to_nothing(world, example: str) -> None:
    fresh = world(example)
    applied = fresh.carry_out(fresh.plan())
    assert applied.plan().empty
    assert set(applied.nodes) == set(applied.members) == {n.name for n in applied.context().nodes}
    gone = applied.carry_out(applied.plan("destroy"))
    assert gone.members == {}
    assert all(machine == type(machine)() for machine in gone.machines.values())
    assert gone.plan("destroy").empty


def test_the_order_of_a_first_apply(world) -> None:
    plan = world("minimal").plan()
    assert stages(plan, "n1") == ["prepare", "binaries", "services", "images", "start", "kubeconfig", "label", "ready"]
    joined = ["prepare", "binaries", "services", "images", "admit", "join", "revoke", "label", "ready"]
    assert sorted(stages(plan, "w1")) == sorted(joined)
    for worker in ("w1", "w2"):
        assert before(plan, ("start", "n1"), ("join", worker))
        assert before(plan, ("admit", worker), ("join", worker))
        assert before(plan, ("images", worker), ("join", worker))
        assert before(plan, ("join", worker), ("revoke", worker))
        assert before(plan, ("network", "minimal"), ("ready", worker))
        assert not before(plan, ("start", "n1"), ("images", worker)), "workers are prepared while the cluster starts"
    assert not before(plan, ("join", "w1"), ("join", "w2"))
    assert step(plan, "start", "n1").retry is Retry.NEVER
    assert plan.disruption is Disruption.NONE


def test_a_token_is_made_when_it_can_be_used(edited) -> None:
    """It is valid for half an hour; binaries and images may take longer over a slow line."""
    plan = edited(*ADD_W3).plan()
    assert before(plan, ("images", "w3"), ("admit", "w3"))


def test_adding_a_worker_touches_only_what_it_must(edited) -> None:
    """kubespray#3651: adding one node ran on all of them."""
    plan = edited(*ADD_W3).plan()
    assert plan.hosts == ("w3",)
    assert {step.target for step in plan.steps} == {"w3"}
    assert edited(*ADD_W3).carry_out(plan).plan().empty


def test_a_node_that_is_dropped_from_the_file_is_removed_in_order(edited) -> None:
    """k0sctl#603: it was ignored."""
    world = edited(*WITHOUT_W2)
    plan = world.plan()
    assert stages(plan, "w2") == ["drain", "delete-node", "leave", "forget"]
    for first, second in (("drain", "delete-node"), ("delete-node", "leave"), ("leave", "forget")):
        assert before(plan, (first, "w2"), (second, "w2"))
    assert {step.target for step in plan.steps} == {"w2"}
    after = world.carry_out(plan)
    assert after.plan().empty
    assert ("w2" in after.nodes, "w2" in after.members) == (False, False)


def test_also_when_the_host_is_gone_from_the_site(edited) -> None:
    world = edited(*WITHOUT_W2, ("  - name: w2\n    address: 192.0.2.22\n", ""))
    assert stages(world.plan(), "w2") == ["drain", "delete-node", "leave", "forget"]


def test_a_dead_host_is_removed_without_asking_it(edited) -> None:
    """kubespray#8806: removal failed when the host was down."""
    world = edited(*WITHOUT_W2)
    world.power_cut("w2")
    plan = world.plan()
    assert stages(plan, "w2") == ["delete-node", "forget"]
    assert plan.hosts == ()
    assert world.carry_out(plan).plan().empty


def test_a_removal_that_was_begun_goes_on(edited) -> None:
    """Killed after any step of it, the next plan holds exactly what is left."""
    world = edited(*WITHOUT_W2)
    plan = world.plan()
    for done in range(1, len(plan.steps) + 1):
        part = Plan(plan.verb, plan.cluster, plan.steps[:done])
        left = world.carry_out(part).plan()
        assert {s.stage for s in left.steps} <= {s.stage for s in plan.steps[done:]} | {"drain"}
        assert world.carry_out(part).carry_out(left).plan().empty


def test_removing_and_adding_at_once(edited) -> None:
    world = edited(("---", "  - name: w3\n    address: 192.0.2.23\n---"), ("[w1, w2]", "[w1, w3]"))
    plan = world.plan()
    assert before(plan, ("ready", "w3"), ("drain", "w2")), "there is a place for the pods before they must leave"
    assert world.carry_out(plan).plan().empty


def test_without_draining(minimal, edited) -> None:
    del minimal
    assert "drain" not in stages(edited(*WITHOUT_W2).plan(drain=False), "w2")


@pytest.mark.parametrize("trouble", ["api down", "worker new", "host emptied of receipts", "nothing"])
def test_a_control_plane_that_was_started_is_never_started_again(minimal, trouble: str) -> None:
    if trouble == "api down":
        minimal.api = False
    elif trouble == "worker new":
        minimal.machines["w1"] = emptied(minimal, "w1")
    elif trouble == "host emptied of receipts":
        minimal.machine("n1").holds.clear()
    assert "start" not in [step.stage for step in minimal.plan().steps]


@pytest.mark.parametrize("stage", ["start", "join"])
def test_what_was_interrupted_is_taken_up_again(world, stage: str) -> None:
    """The host itself knows, when the program runs, whether kubeadm was killed in the middle: never a second start."""
    plan = world("minimal").plan()
    begun = step(plan, stage, "n1" if stage == "start" else "w1").action.operations
    commands = [o for o in begun if o.kind == "command" and not o.title.startswith("note: ")]
    *again, fresh = commands
    assert again
    assert fresh.only_if == ()
    assert {(c.marker, c.creates) for c in commands} == {(fresh.marker, fresh.creates)}, "one of them is enough"
    for command in again:
        assert command.only_if
        assert any(word.startswith("--ignore-preflight-errors=") for word in command.argv)
    assert not any(word.startswith("--ignore") for word in fresh.argv)


def test_no_second_cluster_beside_workers_of_the_first(minimal) -> None:
    """The control plane's disk is gone, the workers still belong to it: starting anew would cut them off."""
    minimal.machines["n1"] = emptied(minimal, "n1")
    minimal.nodes.clear()
    reasons = preflight(minimal.context())
    assert any("n1: no control plane is left, but w1, w2 belong to one" in reason for reason in reasons)


def test_nothing_stands_against_a_fresh_site_and_a_running_cluster(world, minimal) -> None:
    assert preflight(world("minimal").context()) == []
    assert preflight(minimal.context()) == []


def test_a_host_of_another_cluster_is_left_alone(world) -> None:
    fresh = world("minimal")
    fresh.machine("w1").owner = "other"
    assert any(reason.startswith("w1: it belongs to the cluster other") for reason in preflight(fresh.context()))
    stranger = world("minimal")
    stranger.machine("w1").files.add("/etc/rancher/k3s/k3s.yaml")
    assert any(reason.startswith("w1: it already runs") for reason in preflight(stranger.context()))


def test_a_host_that_is_down_is_left_out_and_the_others_go_on(world) -> None:
    """k0sctl#1118: one dead host blocked the others."""
    fresh = world("minimal")
    fresh.machine("w1").up = False
    plan = fresh.plan()
    assert stages(plan, "w1") == []
    assert "ready" in stages(plan, "w2")
    applied = fresh.carry_out(plan)
    assert applied.plan().empty
    applied.machine("w1").up = True
    again = applied.plan()
    assert again.hosts == ("w1",)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("name: w1\n", "name: w1\n    labels: {rack: r1}\n"), "label rack"),
        (("name: w1\n", "name: w1\n    taints: ['gpu=yes:NoSchedule']\n"), "taint gpu:NoSchedule"),
    ],
)
def test_a_label_or_taint_is_a_change_of_one_node_and_goes_again(edited, minimal, examples, change, field) -> None:
    world = edited(change)
    plan = world.plan()
    assert {(s.stage, s.target) for s in plan.steps} <= {("label", "w1"), ("ready", "w1")}
    assert field in [c.field for c in step(plan, "label", "w1").changes]
    assert plan.hosts == ()
    after = world.carry_out(plan)
    assert after.plan().empty
    back = after.defined((examples / "minimal.yaml").read_text())
    assert [c.after for c in step(back.plan(), "label", "w1").changes if c.field == field] == ["absent"]
    assert back.carry_out(back.plan()).plan().empty
    del minimal


def test_without_its_api_a_running_cluster_is_not_planned_from_guesses(minimal) -> None:
    minimal.api = False
    assert minimal.plan().empty


def test_destroy_ends_workers_before_the_control_plane(minimal) -> None:
    plan = minimal.plan("destroy")
    for worker in ("w1", "w2"):
        assert before(plan, ("leave", worker), ("leave", "n1"))
    assert plan.disruption is Disruption.DATA
    assert all(stages(plan, host) == ["leave", "forget"] for host in ("n1", "w1", "w2"))


def test_destroy_takes_departed_hosts_along(edited) -> None:
    plan = edited(*WITHOUT_W2).plan("destroy")
    assert stages(plan, "w2") == ["leave", "forget"]


def test_destroy_forgets_a_dead_host(minimal) -> None:
    minimal.machine("w2").up = False
    assert stages(minimal.plan("destroy"), "w2") == ["forget"]


def test_preparing_a_host_does_not_join_it(world) -> None:
    plan = world("minimal").plan("prepare")
    assert {s.stage for s in plan.steps} == {"prepare", "binaries", "services", "images"}


def test_a_worker_that_was_installed_anew_joins_anew(minimal) -> None:
    minimal.machines["w1"] = emptied(minimal, "w1")
    plan = minimal.plan()
    assert before(plan, ("delete-node", "w1"), ("admit", "w1"))
    assert before(plan, ("join", "w1"), ("label", "w1"))
    assert {s.target for s in plan.steps} == {"w1"}
    assert minimal.carry_out(plan).plan().empty


def test_a_node_that_somebody_deleted_registers_again(minimal) -> None:
    """Its kubelet runs and does not notice; waiting alone would be in vain."""
    del minimal.nodes["w1"]
    plan = minimal.plan()
    assert stages(plan, "w1") == ["register", "label", "ready"]
    assert {s.target for s in plan.steps} == {"w1"}
    assert minimal.carry_out(plan).plan().empty
