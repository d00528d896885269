"""Clusters that others have made. Laws: what runs is never started anew, and what nobody adopted is refused."""

from __future__ import annotations

import pytest

from raijin.lifecycle.preflight import preflight
from raijin.lifecycle.reset import reasons as reset_reasons
from raijin.platforms.kubeadm.paths import ADMIN_CONF, API_MANIFEST, ETCD_DATA, KUBELET_CONF
from raijin.state.member import Member


@pytest.fixture
def strange(world):
    """The hosts of the example, where somebody ran kubeadm by hand."""
    made = world("minimal")
    made = made.carry_out(made.plan())
    for name, machine in made.machines.items():
        plane = ADMIN_CONF in machine.files
        files = {ADMIN_CONF, KUBELET_CONF, API_MANIFEST, f"{ETCD_DATA}/member"} if plane else {KUBELET_CONF}
        made.machines[name] = type(machine)(number=machine.number, files=files, version=machine.version)
    made.members = {}
    return made


def adopted(world):
    nodes = world.context().nodes
    world.members = {n.name: Member(n.name, n.role.value, {"name": n.name}) for n in nodes}
    return world


def test_what_nobody_adopted_is_refused(strange) -> None:
    reasons = preflight(strange.context())
    assert len([reason for reason in reasons if "which Raijin did not install" in reason]) == len(
        strange.context().nodes
    )
    assert all("adopt the cluster first" in reason for reason in reset_reasons(strange.context(force=True)))


def test_an_adopted_cluster_is_neither_started_nor_joined_again(strange) -> None:
    world = adopted(strange)
    assert preflight(world.context()) == []
    assert reset_reasons(world.context()) == []
    plan = world.plan()
    assert not {"start", "join", "admit", "wipe", "leave"} & {step.stage for step in plan.steps}
    first = next(step for step in plan.steps if step.stage == "prepare" and step.target == world.context().first.name)
    titles = [operation.title for operation in first.action.operations]
    assert "runs already" in titles[0], "noted before the host is claimed"
    assert "host of cluster" in titles[1]


def test_after_the_first_apply_it_is_one_of_ours(strange) -> None:
    world = adopted(strange)
    for step in world.plan().steps:
        world = world.carry_out(type(world.plan())("apply", world.plan().cluster, (step,)))
        assert world.context().started, "at no moment is it taken for a cluster that is not there"
    second = world.plan()  # its program does not note that any more, which a host would call no change
    assert not {"start", "join", "admit", "wipe", "leave"} & {step.stage for step in second.steps}
    assert world.carry_out(second).plan().empty
