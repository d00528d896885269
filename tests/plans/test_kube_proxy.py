"""A cluster whose container network stands in for kube-proxy: started without it, and never given one by an upgrade."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raijin.app.unsupported import unsupported
from raijin.facts.network import Interface, Network
from raijin.model.version import Version
from raijin.platforms.base import Hop
from raijin.platforms.kubeadm.config import init_documents
from raijin.platforms.kubeadm.supply import needs
from raijin.platforms.kubeadm.upgrade import upgrade

EBPF = "cni: {name: CALICO, calico: {dataplane: EBPF}}"
DUAL = 'podCidr: "10.244.0.0/16,2001:db8:1::/48", serviceCidr: "10.96.0.0/12,2001:db8:2::/112"'


@pytest.fixture
def defined(world, examples: Path):
    text = (examples / "minimal.yaml").read_text()

    def make(network: str, version: str = "v1.34.2"):
        changed = text.replace("nodeGroups:", f"network: {{{network}}}\nnodeGroups:").replace("v1.34.2", version)
        return type(world("minimal"))(world("minimal").defined(changed).definition)

    return make


def by_kind(world: Any) -> dict[str, dict[str, Any]]:
    return {document["kind"]: document for document in init_documents(world.context())}


def test_kubeadm_is_told_that_there_is_none(defined) -> None:
    documents = by_kind(defined(EBPF))
    assert documents["ClusterConfiguration"]["proxy"] == {"disabled": True}
    assert "KubeProxyConfiguration" not in documents


def test_otherwise_there_is_one(defined) -> None:
    documents = by_kind(defined("cni: {name: FLANNEL}"))
    assert "proxy" not in documents["ClusterConfiguration"]
    assert documents["KubeProxyConfiguration"]["clusterCIDR"] == "10.244.0.0/16"


@pytest.mark.parametrize(("network", "needed"), [("cni: {name: FLANNEL}", True), (EBPF, False)])
def test_its_image_is_needed_only_where_it_runs(defined, network: str, needed: bool) -> None:
    cluster = defined(network).definition.cluster()
    refs = [str(need) for need in needs(cluster, "v1.34.2", ["amd64"], None)]
    assert any("kube-proxy" in ref for ref in refs) is needed


@pytest.mark.parametrize(
    ("network", "version", "skipped"),
    [(EBPF, "v1.35.1", True), (EBPF, "v1.32.0", True), (EBPF, "v1.31.9", False), ("mtu", "v1.35.1", False)],
)
def test_an_upgrade_does_not_bring_it_back(defined, network: str, version: str, skipped: bool) -> None:
    """kubeadm#3137: the upgrade to 1.32.0 installed it, and services were away."""
    context = defined(network if network == EBPF else "cni: {name: FLANNEL}").context()
    parsed = Version.parse(version)
    assert parsed is not None
    hop = Hop(parsed, context.supplies)
    for node, leads in ((context.first, True), (context.first, False), (context.workers[0], False)):
        program = upgrade(context, node, hop, leads=leads)
        (words,) = (o.argv for o in program.operations if "upgrade" in getattr(o, "argv", ()))
        assert ("--skip-phases=addon/kube-proxy" in words) is skipped


def test_a_kubeadm_that_cannot_remember_it_is_refused(defined) -> None:
    (part,) = [p for p in unsupported(defined(EBPF, "v1.30.14").definition.cluster()) if p[0] == "network.cni"]
    assert part[1] == (
        "a kubeadm cluster without kube-proxy stays without it from v1.31 on: use that, or keep kube-proxy"
    )
    assert not [p for p in unsupported(defined(EBPF, "v1.31.0").definition.cluster()) if p[0] == "network.cni"]


def test_nodes_of_a_dual_stack_cluster_have_both_addresses(defined) -> None:
    world = defined(DUAL)
    context = world.context()
    network = Network(
        (
            Interface("eth0", "", ("192.0.2.11/24", "2001:db8::11/64"), 1500, None, "up", True),
            Interface("eth1", "", ("2001:db8:ff::11/64",), 1500, None, "up", True),
        ),
        "eth1",
        "192.0.2.1",
    )
    view = replace(context.first.facts, facts=replace(context.first.facts.facts, network=network))
    node = replace(context.first, facts=view)
    context = replace(context, nodes=(node, *context.workers))
    (init, *_) = init_documents(context)
    arguments = {item["name"]: item["value"] for item in init["nodeRegistration"]["kubeletExtraArgs"]}
    assert arguments["node-ip"] == "192.0.2.11,2001:db8::11", "both of the interface that others reach it by"
