"""Settings that change while the cluster runs: they reach every node that has to follow them, and no other."""

from __future__ import annotations

import pytest
from tests.plans.reading import before, step
from tests.plans.test_upgrade import NEW, OLD, text

from raijin.operations.fixed import Fixed
from raijin.plan.model import Disruption
from raijin.platforms.kubeadm.settings import digest


@pytest.fixture
def running(world):
    fresh = world("minimal").defined(text(OLD, workers=2))
    return fresh.carry_out(fresh.plan())


def settings(more: str, version: str = OLD, **size: int) -> str:
    return text(version, **{"workers": 2, **size}) + more


API_FLAG = (
    "kubernetes: {kubeadm: {clusterConfiguration: {apiServer: {extraArgs: [{name: profiling, value: 'false'}]}}}}"
)
KUBELET = "kubernetes: {kubeadm: {kubeletConfiguration: {maxPods: 200}}}"
NAME = "kubernetes: {certSans: [api.example.org]}"


def changing(world, plan, host: str) -> set[str]:
    """The parts that a host does not follow yet."""
    values = world.machine(host).values
    return {
        operation.marker.removeprefix("settings-")
        for operation in step(plan, "configure", host).action.operations
        if operation.kind == "command" and values.get(operation.marker) != operation.value
    }


def test_a_flag_of_the_api_server(running) -> None:
    world = running.defined(settings(API_FLAG))
    plan = world.plan()
    assert {s.target for s in plan.steps if s.stage == "configure"} == {"n1", "n2", "n3"}, "workers have nothing of it"
    for earlier, later in (("n1", "n2"), ("n2", "n3")):
        assert before(plan, ("follow", earlier), ("configure", later)), "a bad flag reaches one control plane, not all"
    for host in ("n1", "n2", "n3"):
        assert changing(world, plan, host) == {"control-plane", "uploaded"}
    assert plan.disruption is Disruption.RESTART
    assert world.carry_out(plan).plan().empty


def test_a_setting_of_the_kubelet_reaches_workers_after_the_cluster_has_it(running) -> None:
    world = running.defined(settings(KUBELET))
    plan = world.plan()
    for host in ("w1", "w2"):
        assert changing(world, plan, host) == {"kubelet"}
        assert before(plan, ("follow", "n3"), ("configure", host))
    assert not before(plan, ("configure", "w1"), ("configure", "w2"))
    assert not {"drain", "services"} & {s.stage for s in plan.steps}
    assert world.carry_out(plan).plan().empty


def test_another_name_of_the_api(running) -> None:
    world = running.defined(settings(NAME))
    plan = world.plan()
    assert changing(world, plan, "n2") == {"names", "uploaded"}
    assert world.carry_out(plan).plan().empty


def test_what_the_cluster_keeps_is_put_there_by_one(running) -> None:
    plan = running.defined(settings(API_FLAG)).plan()
    uploads = {
        host: operation.argv
        for host in ("n1", "n2", "n3")
        for operation in step(plan, "configure", host).action.operations
        if getattr(operation, "marker", "") == "settings-uploaded"
    }
    assert uploads["n1"][:3] == ("kubeadm", "init", "phase")
    assert uploads["n2"] == uploads["n3"] == ("true",)


def test_without_its_first_control_plane_nothing_is_to_be_done_again(running) -> None:
    """What one host did for all, the others know of."""
    configured = running.defined(settings(API_FLAG))
    configured = configured.carry_out(configured.plan())
    fewer = configured.defined(settings(API_FLAG).replace("hosts: [n1, n2, n3]", "hosts: [n2, n3]"))
    assert fewer.carry_out(fewer.plan()).plan().empty


def test_a_version_and_a_setting_at_once(running) -> None:
    world = running.defined(settings(KUBELET, NEW))
    plan = world.plan()
    assert before(plan, (f"current@{NEW}", "w2"), ("configure", "n1")), "kubeadm's file is of the version that runs"
    assert world.carry_out(plan).plan().empty


def test_the_networks_stay_what_they_were(running) -> None:
    plan = running.defined(settings(API_FLAG)).plan("apply")
    fresh = running.defined(text(OLD, workers=2, planes=5)).plan()
    kept = {o.name: o.value for o in step(fresh, "join", "n5").action.operations if isinstance(o, Fixed)}
    assert kept == {"pod-network": "10.244.0.0/16", "service-network": "10.96.0.0/12", "dns-domain": "cluster.local"}
    assert plan


def test_settings_mean_the_same_in_every_version_of_the_configuration() -> None:
    """v1beta3 writes extra arguments as a mapping, v1beta4 as a list: from 1.30 to 1.31 no setting has changed."""
    old = {"controllerManager": {"extraArgs": {"b": "2", "a": "1"}}}
    new = {"controllerManager": {"extraArgs": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]}}
    assert digest(old) == digest(new)
    assert digest(old) != digest({"controllerManager": {"extraArgs": {"a": "1"}}})
