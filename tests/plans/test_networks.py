"""The container network over the life of a cluster: installed, waited for, upgraded, pruned, and never swapped."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from tests.plans.reading import before, stages, step

from raijin.facts.cluster import PART_LABEL
from raijin.lifecycle.preflight import preflight

FLANNEL = "ghcr.io/flannel-io/flannel"


@pytest.fixture
def minimal(world):
    """A cluster of n1, w1 and w2 that was applied."""
    fresh = world("minimal")
    return fresh.carry_out(fresh.plan())


@pytest.fixture
def text(examples: Path) -> str:
    return (examples / "minimal.yaml").read_text()


def with_network(text: str, network: str) -> str:
    return text.replace("nodeGroups:", f"network: {{{network}}}\nnodeGroups:")


def test_it_is_waited_for_once_it_is_installed(world) -> None:
    plan = world("minimal").plan()
    rollout = step(plan, "rollout", "minimal")
    assert before(plan, ("network", "minimal"), ("rollout", "minimal"))
    assert rollout.action.name == "kube.wait-rollout"
    (workload,) = rollout.action.arguments["workloads"]
    assert workload["metadata"]["name"] == "kube-flannel-ds"
    for host in ("n1", "w1"):
        for stage in ("admit", "join", "ready"):
            if stage in stages(plan, host):
                assert not before(plan, ("rollout", "minimal"), (stage, host)), "nobody waits for it to join"


def test_nothing_is_waited_for_where_nothing_changes(minimal) -> None:
    assert minimal.plan().empty


def test_a_definition_may_say_that_nothing_is_waited_for(minimal, text: str) -> None:
    hasty = minimal.defined(text + "validation: {waitForCluster: false}\n")
    hasty.tags[FLANNEL] = "v0.28.8"
    assert {s.stage for s in hasty.plan().steps} == {"network"}


def test_everything_bears_the_label_of_its_part(world) -> None:
    documents = step(world("minimal").plan(), "network", "minimal").action.arguments["documents"]
    assert documents
    assert {d["metadata"]["labels"][PART_LABEL] for d in documents} == {"network"}
    assert not any(PART_LABEL in d.get("spec", {}).get("template", {}).get("metadata", {}) for d in documents)


def test_a_new_version_changes_the_images_and_nothing_else(minimal) -> None:
    minimal.tags[FLANNEL] = "v0.28.10"
    plan = minimal.plan()
    assert {s.stage for s in plan.steps} == {"network", "rollout", "ready"}
    spec = "spec.template.spec"
    assert [(c.thing, c.field, c.before, c.after) for c in step(plan, "network", "minimal").changes] == [
        ("DaemonSet kube-flannel/kube-flannel-ds", f"{spec}.{place}.image", f"{FLANNEL}:v0.28.9", f"{FLANNEL}:v0.28.10")
        for place in ("initContainers[1]", "containers[0]")
    ]
    assert plan.hosts == ()
    after = minimal.carry_out(plan)
    assert after.plan().empty


def test_what_a_version_no_longer_has_is_deleted(minimal) -> None:
    left = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-flannel-old", "namespace": "kube-flannel", "labels": {PART_LABEL: "network"}},
    }
    foreign = copy.deepcopy(left)
    foreign["metadata"] |= {"name": "mine", "labels": {}}
    minimal.objects |= {"ConfigMap kube-flannel/kube-flannel-old": left, "ConfigMap kube-flannel/mine": foreign}
    plan = minimal.plan()
    (only,) = plan.steps
    assert (only.stage, only.action.name) == ("prune", "kube.prune")
    assert [(c.thing, c.after) for c in only.changes] == [("ConfigMap kube-flannel/kube-flannel-old", "deleted")]
    after = minimal.carry_out(plan)
    assert after.plan().empty
    assert "ConfigMap kube-flannel/mine" in after.objects


def test_the_old_goes_when_the_new_runs(minimal) -> None:
    left = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "x", "labels": {PART_LABEL: "network"}},
    }
    minimal.objects["Service x/s"] = left
    minimal.tags[FLANNEL] = "v0.28.10"
    plan = minimal.plan()
    assert before(plan, ("rollout", "minimal"), ("prune", "minimal"))


def test_a_running_flannel_keeps_its_backend(minimal, text: str) -> None:
    changed = minimal.defined(with_network(text, "cni: {backend: host-gw}"))
    assert preflight(changed.context()) == [
        "minimal: flannel runs with the backend vxlan, and a running flannel cannot change to host-gw"
    ]
    fresh = type(minimal)(changed.definition)
    assert preflight(fresh.context()) == []


def test_hosts_with_an_old_kernel_are_named(minimal, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = type(minimal)(minimal.defined(with_network(text, "cni: {backend: wireguard}")).definition)
    view = type(world.machine("n1").view())
    monkeypatch.setattr(view, "kernel_version", property(lambda _: (5, 4)))
    assert preflight(world.context())[0] == ("n1: its kernel 6.1.0 is too old; FLANNEL as defined needs 5.6 or newer")


def test_hosts_without_ipv6_do_not_get_pods_with_it(minimal, text: str) -> None:
    dual = 'podCidr: "10.244.0.0/16,2001:db8:1::/48", serviceCidr: "10.96.0.0/12,2001:db8:2::/112"'
    world = type(minimal)(minimal.defined(with_network(text, dual)).definition)
    assert preflight(world.context()) == [
        f"{host}: it has no IPv6 address, and pods are to have one: give it one on its main interface"
        for host in ("n1", "w1", "w2")
    ]


def test_a_port_that_flannel_needs(minimal, monkeypatch: pytest.MonkeyPatch) -> None:
    world = type(minimal)(minimal.definition)
    view = type(world.machine("n1").view())
    monkeypatch.setattr(view, "listener", lambda _, port: "nginx" if port == 8081 else None)
    assert preflight(world.context())[0] == "n1: port 8081 is in use by nginx; flannel needs it: stop that program"


def test_a_cluster_without_kube_proxy_does_not_lose_what_stands_in_for_it(minimal) -> None:
    del minimal.objects["DaemonSet kube-system/kube-proxy"]
    (reason,) = preflight(minimal.context())
    assert reason.startswith("minimal: it runs no kube-proxy, and nothing in network.cni would do its work")
