"""Upgrades: the skew policy kept, control planes one at a time, workers in batches, going on after any failure."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plans.reading import before, stages, step

from raijin.lifecycle.preflight import preflight
from raijin.model.version import Version
from raijin.plan.model import Disruption, Plan
from raijin.platforms.kubeadm.paths import ADMIN_CONF
from raijin.platforms.versions import lags, way

CLUSTER = """
kind: Site
hosts: [{hosts}]
---
kind: Cluster
name: up
type: VANILLA
version: {version}
network: {{virtualIp: {{address: 192.0.2.250}}}}
policy: {{maxUnavailable: {batch}}}
nodeGroups:
  - {{name: control-plane, role: CONTROL_PLANE, hosts: [{planes}]}}
  - {{name: workers, role: WORKER, hosts: [{workers}]}}
"""
OLD, NEW = "v1.34.2", "v1.35.4"


def text(version: str, *, planes: int = 3, workers: int = 4, batch: str = "1") -> str:
    names = [f"n{i + 1}" for i in range(planes)], [f"w{i + 1}" for i in range(workers)]
    hosts = [f"{{name: {name}, address: 192.0.2.{11 + i}}}" for i, name in enumerate([*names[0], *names[1]])]
    return CLUSTER.format(
        hosts=", ".join(hosts), version=version, batch=batch, planes=", ".join(names[0]), workers=", ".join(names[1])
    )


@pytest.fixture
def running(world):
    """`running(version, ...)`: a cluster of that version that was applied."""
    made: dict[tuple[object, ...], object] = {}

    def make(version: str = OLD, **size: object):
        key = (version, *sorted(size.items()))
        if key not in made:
            fresh = world("minimal").defined(text(version, **size))
            made[key] = fresh.carry_out(fresh.plan())
        return copy.deepcopy(made[key])

    return make


def test_one_minor_up(running) -> None:
    world = running().defined(text(NEW))
    assert preflight(world.context()) == []
    plan = world.plan()
    for host in ("n1", "n2", "n3", "w1"):
        order = [f"{stage}@{NEW}" for stage in ("images", "drain", "upgrade", "current", "return")]
        assert [s for s in stages(plan, host) if s in order] == order
        for first, second in pairwise(order):
            assert before(plan, (first, host), (second, host))
    assert not {"prepare", "binaries", "services", "images"} & {s.stage for s in plan.steps}, (
        "only an upgrade changes it"
    )
    after = world.carry_out(plan)
    assert after.plan().empty
    assert {node.version for node in after.nodes.values()} == {NEW}
    assert not any(node.unschedulable for node in after.nodes.values())
    assert plan.disruption is Disruption.DRAIN


def test_control_planes_one_at_a_time_with_etcd_in_step_between(running) -> None:
    """k3s-ansible#485: the second and the third server were restarted together, and the quorum was gone."""
    plan = running().defined(text(NEW)).plan()
    for done, then in (("n1", "n2"), ("n2", "n3")):
        for stage in ("current", "settle", "return"):
            assert before(plan, (f"{stage}@{NEW}", done), (f"drain@{NEW}", then))
    assert step(plan, f"settle@{NEW}", "n1").action.name == "etcd.wait-member"
    for worker in ("w1", "w2", "w3", "w4"):
        assert before(plan, (f"settle@{NEW}", "n3"), (f"drain@{NEW}", worker)), "no kubelet is newer than an API server"


def test_the_first_leads_and_the_others_follow(running) -> None:
    plan = running().defined(text(NEW)).plan()
    words = {host: " ".join(_words(step(plan, f"upgrade@{NEW}", host))) for host in ("n1", "n2", "w1")}
    assert f"kubeadm upgrade apply --yes {NEW}" in words["n1"]
    assert "kubeadm upgrade node" in words["n2"]
    assert "kubeadm upgrade node" in words["w1"]
    own = f"{ADMIN_CONF} https://127.0.0.1:6443 kubeadm"
    assert [own in words[host] for host in ("n1", "n2", "w1")] == [True, True, False], "the address of all may move"


def test_checks_that_were_ignored_at_the_start_are_ignored_again(running) -> None:
    """A cgroup v1 host, for one: it was let in on purpose, and is not left behind at the next version."""
    kubeadm = (
        "kubernetes: {kubeadm: {initConfiguration: {nodeRegistration: {ignorePreflightErrors: [SystemVerification]}}}}"
    )
    plan = running().defined(text(NEW) + kubeadm).plan()
    for host, expected in (("n1", True), ("n2", True), ("w1", False)):
        words = _words(step(plan, f"upgrade@{NEW}", host))
        assert ("--ignore-preflight-errors=SystemVerification" in words) is expected


def _words(upgraded) -> list[str]:
    return [w for operation in upgraded.action.operations for w in getattr(operation, "argv", ())]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workers=st.integers(1, 9), batch=st.one_of(st.integers(1, 9).map(str), st.integers(1, 100).map(lambda n: f"{n}%"))
)
def test_the_batch_size_is_honoured_exactly(running, workers: int, batch: str) -> None:
    """k0sctl divided whole numbers, so every percentage meant one at a time; here the graph itself holds the number."""
    world = running(workers=workers, planes=1).defined(text(NEW, workers=workers, planes=1, batch=batch))
    plan = world.plan()
    share = int(batch.rstrip("%"))
    wanted = max(1, workers * share // 100) if batch.endswith("%") else share
    names = [f"w{i + 1}" for i in range(workers)]
    free = [
        n for n in names if not any(before(plan, (f"return@{NEW}", o), (f"drain@{NEW}", n)) for o in names if o != n)
    ]
    assert len(free) == min(wanted, workers), "so many are out of service at once"
    for place, name in enumerate(names[wanted:]):
        assert before(plan, (f"return@{NEW}", names[place]), (f"drain@{NEW}", name))


def test_a_node_whose_drain_failed_is_not_upgraded(running) -> None:
    """k0sctl went on with it. The upgrade needs the drain; and what puts it in order runs all the same."""
    plan = running().defined(text(NEW)).plan()
    drain, upgrade = step(plan, f"drain@{NEW}", "w1"), step(plan, f"upgrade@{NEW}", "w1")
    assert drain.id in upgrade.needs
    assert drain.renewed, "after a failure the pods have come back: they leave again before the next try"
    back = step(plan, f"return@{NEW}", "w1")
    assert back.cleanup
    assert {drain.id, upgrade.id} <= set(back.needs)


def test_several_minors_in_a_chain(running) -> None:
    """An API server moves one minor at a time; workers follow once, at the end."""
    world = running("v1.33.1").defined(text("v1.36.4"))
    plan = world.plan()
    hops = ["v1.34.9", "v1.35.9", "v1.36.4"]
    assert [s for s in stages(plan, "n1") if s.startswith("upgrade")] == [f"upgrade@{v}" for v in hops]
    assert [s for s in stages(plan, "w1") if s.startswith("upgrade")] == ["upgrade@v1.36.4"]
    for one, two in pairwise(hops):
        assert before(plan, (f"settle@{one}", "n3"), (f"upgrade@{two}", "n1"))
    after = world.carry_out(plan)
    assert after.plan().empty
    assert {node.version for node in after.nodes.values()} == {"v1.36.4"}


def test_workers_are_taken_along_before_they_lag_too_far(running) -> None:
    world = running("v1.30.2").defined(text("v1.36.4"))
    plan = world.plan()
    moved = [s.partition("@")[2] for s in stages(plan, "w1") if s.startswith("upgrade")]
    assert moved == ["v1.33.9", "v1.36.4"]
    assert before(plan, ("return@v1.33.9", "w4"), ("drain@v1.34.9", "n1"))
    assert world.carry_out(plan).plan().empty


@given(start=st.integers(29, 36), goal=st.integers(29, 36))
def test_the_way_never_leaves_a_minor_out(start: int, goal: int) -> None:
    if goal < start:
        return
    known = {minor: Version(1, minor, 5) for minor in range(29, 37)}
    hops = way(Version(1, start, 1), Version(1, goal, 3), known)
    assert hops[-1] == Version(1, goal, 3)
    minors = [start, *(hop.minor for hop in hops)]
    assert all(two - one <= 1 for one, two in pairwise(minors))


def test_a_minor_in_between_that_nobody_has() -> None:
    with pytest.raises(KeyError, match="35"):
        way(Version(1, 33, 1), Version(1, 36, 4), {34: Version(1, 34, 2)})


def test_how_far_a_kubelet_may_lag() -> None:
    assert not lags(Version(1, 33, 0), Version(1, 36, 9))
    assert lags(Version(1, 32, 9), Version(1, 36, 0))


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8])
def test_an_upgrade_that_stopped_goes_on_with_the_same_command(running, share: float) -> None:
    """kubeone#1289: it could not be continued. Whatever was done is not done again, and whatever was not is."""
    world = running().defined(text(NEW))
    plan = world.plan()
    part = Plan(plan.verb, plan.cluster, plan.steps[: int(len(plan.steps) * share)])
    half = world.carry_out(part)
    assert preflight(half.context()) == []
    rest = half.plan()
    done = {(s.stage, s.target) for s in part.steps if s.stage.startswith("upgrade")}
    assert not done & {(s.stage, s.target) for s in rest.steps}
    after = half.carry_out(rest)
    assert after.plan().empty
    assert {node.version for node in after.nodes.values()} == {NEW}
    assert not any(node.unschedulable for node in after.nodes.values())


def test_a_node_that_an_earlier_run_left_cordoned_comes_back(running) -> None:
    """kubespray#6545: nodes stayed cordoned. Whose cordon it is stands on the node."""
    world = running()
    world.nodes["w1"] = replace(world.nodes["w1"], unschedulable=True, held=True)
    world.nodes["w2"] = replace(world.nodes["w2"], unschedulable=True)
    plan = world.plan()
    assert [(s.stage, s.target) for s in plan.steps] == [("return", "w1")]
    after = world.carry_out(plan)
    assert after.plan().empty
    assert after.nodes["w2"].unschedulable, "somebody else's cordon stays"


@pytest.mark.parametrize("wanted", ["v1.33.9", "v1.34.1"])
def test_going_back_is_refused(running, wanted: str) -> None:
    reasons = preflight(running().defined(text(wanted)).context())
    assert f"n1: it runs {OLD}, and the definition says {wanted}: Kubernetes cannot go back" in reasons


def test_nothing_is_upgraded_blindly(running) -> None:
    world = running()
    world.api = False
    reasons = preflight(world.defined(text(NEW)).context())
    assert "n1: the API server does not answer: nothing is upgraded blindly" in reasons


def test_no_control_plane_is_stopped_while_another_member_is_down(running) -> None:
    world = running()
    world.power_cut("n3")
    reasons = preflight(world.defined(text(NEW)).context())
    assert "n1: it cannot be upgraded now: etcd can lose no member while n3 does not answer" in reasons


def test_a_lost_worker_does_not_keep_the_others_back(running) -> None:
    world = running()
    world.power_cut("w2")
    upgraded = world.defined(text(NEW))
    assert preflight(upgraded.context()) == []
    plan = upgraded.plan()
    assert stages(plan, "w2") == []
    assert f"upgrade@{NEW}" in stages(plan, "w3")


def test_a_worker_that_would_be_too_old_does(running) -> None:
    world = running("v1.31.1")
    world.power_cut("w2")
    reasons = preflight(world.defined(text("v1.35.4")).context())
    assert "w2: it cannot be reached, and its kubelet v1.31.1 would be too old for v1.35.4" in reasons


def test_a_machine_alone_is_not_drained(world) -> None:
    """Its pods could go nowhere; and the API is away for a while, which the plan says."""
    fresh = world("single-host")
    single = fresh.carry_out(fresh.plan())
    alone = copy.deepcopy(single)
    old = str(single.definition.cluster().kubernetes_version)
    host = next(iter(single.nodes))
    alone.definition = _bumped(single.definition, old, NEW)
    plan = alone.plan()
    assert f"drain@{NEW}" not in stages(plan, host)
    assert f"upgrade@{NEW}" in stages(plan, host)
    assert plan.disruption is Disruption.API
    assert alone.carry_out(plan).plan().empty


def _bumped(definition, old: str, new: str):
    (cluster,) = definition.clusters
    return replace(definition, clusters=(cluster.model_copy(update={"version": new}),))


def test_a_new_worker_beside_an_upgrade_is_of_the_new_version(running) -> None:
    world = running(workers=2).defined(text(NEW, workers=3))
    plan = world.plan()
    assert "join" in stages(plan, "w3")
    after = world.carry_out(plan)
    assert after.nodes["w3"].version == NEW
    assert after.plan().empty
