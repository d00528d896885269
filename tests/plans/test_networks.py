"""The container network over the life of a cluster: installed, waited for, upgraded, pruned, and never swapped."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from tests.plans.reading import before, stages, step

from raijin.facts.cluster import PART_LABEL
from raijin.lifecycle.network import farewell, unwell
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


def test_the_settings_of_calicos_agents_bear_none_because_calico_drops_it(world, text) -> None:
    fresh = world("minimal").defined(with_network(text, "cni: {name: CALICO}"))
    documents = step(fresh.plan(), "network", "minimal").action.arguments["documents"]
    without = {d["kind"] for d in documents if PART_LABEL not in d["metadata"].get("labels", {})}
    assert without == {"FelixConfiguration", "IPPool"}


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
    assert [(c.thing, c.after) for c in only.changes] == [("ConfigMap kube-flannel/kube-flannel-old", "absent")]
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


CALICO = "cni: {name: CALICO, version: v3.31.7, calico: {typha: 1}}"


@pytest.fixture
def calico(world, text: str):
    """`calico(network)`: a cluster with Calico that was applied."""

    def make(network: str = CALICO):
        fresh = type(world("minimal"))(world("minimal").defined(with_network(text, network)).definition)
        return fresh.carry_out(fresh.plan())

    return make


def test_calico_is_installed_whole_and_waited_for(calico) -> None:
    running = calico()
    assert running.plan().empty
    fresh = type(running)(running.definition)
    waited = step(fresh.plan(), "rollout", "minimal").action.arguments["workloads"]
    assert [w["metadata"]["name"] for w in waited] == ["calico-node", "calico-kube-controllers", "calico-typha"]


def test_a_new_calico_changes_images_only(calico, text: str) -> None:
    newer = calico().defined(with_network(text, CALICO.replace("v3.31.7", "v3.32.1")))
    assert preflight(newer.context()) == []
    changes = step(newer.plan(), "network", "minimal").changes
    assert {change.field.rpartition(".")[2] for change in changes} == {"image"}
    assert {change.after.partition(":")[2] for change in changes} == {"v3.32.1"}
    assert len(changes) == 6
    assert newer.carry_out(newer.plan()).plan().empty


def test_a_typha_that_is_no_longer_wanted_goes(calico, text: str) -> None:
    without = calico().defined(with_network(text, "cni: {name: CALICO, version: v3.31.7}"))
    plan = without.plan()
    names = {change.thing for change in step(plan, "prune", "minimal").changes}
    assert names == {f"{kind} kube-system/calico-typha" for kind in ("Deployment", "Service", "PodDisruptionBudget")}
    assert without.carry_out(plan).plan().empty


def test_a_router_that_is_no_longer_told_goes(calico, text: str) -> None:
    bgp = "cni: {name: CALICO, calico: {encapsulation: BGP, bgp: {peers: [{address: 192.0.2.1, asn: 64512}]}}}"
    plan = calico(bgp).defined(with_network(text, "cni: {name: CALICO, calico: {encapsulation: BGP}}")).plan()
    assert [c.thing for c in step(plan, "prune", "minimal").changes] == ["BGPPeer peer-192-0-2-1"]


def test_the_encapsulation_of_a_running_calico_changes_field_by_field(calico, text: str) -> None:
    crossing = calico("cni: {name: CALICO}").defined(
        with_network(text, "cni: {name: CALICO, calico: {crossSubnet: true}}")
    )
    plan = crossing.plan()
    assert [(c.thing, c.field, c.before, c.after) for c in step(plan, "network", "minimal").changes] == [
        ("IPPool default-ipv4-ippool", "spec.vxlanMode", "Always", "CrossSubnet")
    ]


def test_address_pools_in_use_stay(calico, text: str) -> None:
    other = "podCidr: 10.42.0.0/16, cni: {name: CALICO, calico: {blockSize: 24}}"
    reasons = preflight(calico("cni: {name: CALICO}").defined(with_network(text, other)).context())
    pool = "minimal: its address pool default-ipv4-ippool has"
    assert reasons == [
        f"{pool} cidr 10.244.0.0/16, and a pool in use cannot change to 10.42.0.0/16",
        f"{pool} blockSize 26, and a pool in use cannot change to 24",
    ]


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("version: v3.27.0", "Calico v3.27.0 is older than v3.28.0, the oldest that Raijin knows how to run"),
        (
            "version: v3.28.5, calico: {dataplane: NFTABLES}",
            "Calico v3.28.5 has no nftables data plane: v3.29.0 and later have",
        ),
    ],
)
def test_versions_of_calico_that_cannot_do_it(world, text: str, network: str, reason: str) -> None:
    kube_proxy = "kubernetes: {kubeadm: {kubeProxyConfiguration: {mode: nftables}}}\n"
    defined = with_network(text, f"cni: {{name: CALICO, {network}}}") + kube_proxy
    fresh = type(world("minimal"))(world("minimal").defined(defined).definition)
    assert preflight(fresh.context()) == [f"minimal: {reason}"]


@pytest.mark.parametrize(("running", "wanted"), [("FLANNEL", "CALICO"), ("CALICO", "FLANNEL")])
def test_a_running_cluster_keeps_its_kind_of_network(calico, text: str, running: str, wanted: str) -> None:
    """Two of them would both give addresses and write rules; and pods of the old one would lose those of the new."""
    changed = calico(f"cni: {{name: {running}}}").defined(with_network(text, f"cni: {{name: {wanted}}}"))
    (reason,) = preflight(changed.context())
    assert reason == (
        f"minimal: it runs {running}, and the definition says {wanted}: pods would lose each other on the way. "
        f"Set network.cni.name back to {running}; to have {wanted}, make a new cluster, or destroy this one first"
    )


def test_leaving_the_network_to_somebody_else_is_said(calico, text: str) -> None:
    left = calico("cni: {name: CALICO}").defined(with_network(text, "cni: {name: NONE}"))
    assert preflight(left.context())[0].startswith("minimal: it runs CALICO, and the definition says NONE")


def test_a_network_that_somebody_else_brought_is_left_alone(calico, text: str) -> None:
    foreign = calico("cni: {name: NONE}")
    foreign.objects["DaemonSet kube-system/calico-node"] = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "calico-node", "namespace": "kube-system"},
    }
    assert preflight(foreign.context()) == []
    assert foreign.plan().empty


@pytest.mark.parametrize(("before_", "after_"), [("IPTABLES", "EBPF"), ("EBPF", "IPTABLES")])
def test_kube_proxy_is_decided_when_a_cluster_is_made(calico, text: str, before_: str, after_: str) -> None:
    def network(dataplane: str) -> str:
        return f"cni: {{name: CALICO, calico: {{dataplane: {dataplane}}}}}"

    running = calico(network(before_))
    assert running.plan().empty
    (reason,) = preflight(running.defined(with_network(text, network(after_))).context())
    assert "that is decided when a cluster is made" in reason


def test_what_stays_on_a_host_until_it_is_restarted_is_said(calico) -> None:
    ebpf = calico("cni: {name: CALICO, calico: {dataplane: EBPF}}").context()
    assert list(farewell(ebpf, ebpf.workers)) == [
        "w1 keeps eBPF programs of CALICO until it is restarted",
        "w2 keeps eBPF programs of CALICO until it is restarted",
    ]
    plain = calico("cni: {name: CALICO}").context()
    assert list(farewell(plain, plain.workers)) == []


def test_a_network_that_does_not_run_is_noted_and_no_reason_for_a_plan(minimal) -> None:
    assert list(unwell(minimal.context())) == []
    minimal.objects["DaemonSet kube-flannel/kube-flannel-ds"]["status"] = {"numberUnavailable": 2}
    assert minimal.plan().empty
    assert list(unwell(minimal.context())) == [
        "DaemonSet kube-flannel/kube-flannel-ds: pods that are not ready: 2; look at them with kubectl describe"
    ]


def test_programs_of_calico_that_need_the_api_early_know_where_it_is(calico) -> None:
    running = calico("virtualIp: {address: 192.0.2.250}, cni: {name: CALICO, calico: {dataplane: EBPF}}")
    daemon_set = running.objects["DaemonSet kube-system/calico-node"]["spec"]["template"]["spec"]
    for container in (*daemon_set["initContainers"][:2], *daemon_set["containers"]):
        environment = {variable["name"]: variable.get("value") for variable in container["env"]}
        assert environment["KUBERNETES_SERVICE_HOST"] == "192.0.2.250"
        assert environment["KUBERNETES_SERVICE_PORT"] == "6443"


CILIUM = "cni: {name: CILIUM, cilium: {hubble: {relay: true}}}"


def test_cilium_is_installed_with_its_certificates_and_without_kube_proxy(calico) -> None:
    running = calico(CILIUM)
    assert running.plan().empty
    fresh = type(running)(running.definition).plan()
    assert before(fresh, ("certificates", "minimal"), ("network", "minimal"))
    assert [(c.thing, c.before) for c in step(fresh, "certificates", "minimal").changes] == [
        ("Secret kube-system/hubble-server-certs", "absent"),
        ("Secret kube-system/hubble-relay-client-certs", "absent"),
    ]
    text = json.dumps(step(fresh, "certificates", "minimal").action.arguments)
    assert "PRIVATE" not in text
    assert "data" not in text
    waited = step(fresh, "rollout", "minimal").action.arguments["workloads"]
    assert [w["metadata"]["name"] for w in waited] == ["cilium", "cilium-operator"]


def test_a_certificate_that_ends_soon_is_a_change(calico) -> None:
    running = calico(CILIUM)
    running.moment += 1040 * 86400
    plan = running.plan()
    assert {s.stage for s in plan.steps} >= {"certificates"}
    changes = step(plan, "certificates", "minimal").changes
    assert {change.field for change in changes} == {"valid until"}
    assert not [s for s in plan.steps if s.stage == "network"]


def test_hubble_without_its_relay_loses_what_belongs_to_it(calico, text: str) -> None:
    plan = calico(CILIUM).defined(with_network(text, "cni: {name: CILIUM}")).plan()
    gone = {change.thing for change in step(plan, "prune", "minimal").changes}
    assert {
        "Deployment kube-system/hubble-relay",
        "Secret kube-system/hubble-server-certs",
        "Secret kube-system/hubble-relay-client-certs",
    } <= gone
    assert not any("cilium-ca" in thing for thing in gone), "other clusters may know it"


def test_a_new_cilium_changes_images_only(calico, text: str) -> None:
    def network(version: str) -> str:
        return f"cni: {{name: CILIUM, version: {version}}}"

    newer = calico(network("v1.19.6")).defined(with_network(text, network("v1.20.2")))
    assert preflight(newer.context()) == []
    changes = step(newer.plan(), "network", "minimal").changes
    assert {change.field.rpartition(".")[2] for change in changes} == {"image"}
    assert {change.after.rpartition(":")[2] for change in changes} == {"v1.20.2"}


def test_a_changed_setting_of_cilium_restarts_its_pods(calico, text: str) -> None:
    changed = calico("cni: {name: CILIUM}").defined(with_network(text, "cni: {name: CILIUM, cilium: {mtu: 1400}}"))
    changes = step(changed.plan(), "network", "minimal").changes
    assert ("data.mtu", "absent", "1400") in [(c.field, c.before, c.after) for c in changes]
    restarted = {c.thing for c in changes if c.field.endswith("annotations.raijin.dev/configuration")}
    assert restarted == {"DaemonSet kube-system/cilium", "Deployment kube-system/cilium-operator"}


def test_a_running_cilium_keeps_its_name(calico, text: str) -> None:
    changed = calico("cni: {name: CILIUM}").defined(with_network(text, "cni: {name: CILIUM, cilium: {clusterId: 3}}"))
    assert preflight(changed.context()) == [
        "minimal: Cilium runs with cluster-id 0, and every pod is known by it: it cannot change to 3"
    ]


def test_a_cilium_that_is_too_old(world, text: str) -> None:
    definition = world("minimal").defined(with_network(text, "cni: {name: CILIUM, version: v1.14.3}")).definition
    assert preflight(type(world("minimal"))(definition).context()) == [
        "minimal: Cilium v1.14.3 is older than v1.15.0, the oldest that Raijin knows how to run"
    ]
