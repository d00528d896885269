"""K3s as the multi-cluster seed wants it: three servers with etcd, kube-vip, Cilium in place of kube-proxy."""

from __future__ import annotations

import io

import pytest
import yaml
from tests.plans.conftest import World
from tests.plans.reading import before, step

from raijin.app.unsupported import unsupported
from raijin.definition.load import load
from raijin.lifecycle.preflight import preflight
from raijin.operations.file import File
from raijin.platforms import platform_of

TEXT = """
kind: Site
hosts:
  - {name: s1, address: 192.0.2.41}
  - {name: s2, address: 192.0.2.42}
  - {name: s3, address: 192.0.2.43}
---
kind: Cluster
name: cluster-a
type: K3S
version: %s
network:
  podCidr: 10.42.0.0/16
  serviceCidr: 10.43.0.0/16
  cni:
    name: CILIUM
    version: v1.15.5
    cilium: {hubble: {enabled: true, relay: true}}
  virtualIp: {address: 192.0.2.40, provider: KUBE_VIP, interface: eth0%s}
kubernetes:
  k3s: {disable: [traefik, servicelb], disableKubeProxy: true}
nodeGroups:
  - {name: servers, role: CONTROL_PLANE, hosts: [s1, s2, s3]}
"""
BGP = ", mode: BGP, bgp: {asn: 65000, peers: [{address: 192.0.2.1, asn: 65001}]}"


def world_of(version: str = "v1.28.9+k3s1", mode: str = "") -> World:
    return World(load(io.StringIO(TEXT % (version, mode)), {}))


@pytest.mark.parametrize("version", ["v1.28.9+k3s1", "v1.34.10+k3s1"])
@pytest.mark.parametrize("mode", ["", BGP])
def test_nothing_of_it_is_refused_and_the_plan_after_it_is_empty(version: str, mode: str) -> None:
    world = world_of(version, mode)
    definition = world.definition
    assert unsupported(definition.cluster(), definition.site(), definition.site().hosts) == []
    assert preflight(world.context()) == []
    applied = world.carry_out(world.plan())
    assert applied.plan().empty
    assert sorted(applied.voters) == ["s1", "s2", "s3"]


def test_k3s_leaves_the_network_to_cilium() -> None:
    context = world_of().context()
    options = yaml.safe_load(platform_of(context.cluster).files(context, context.first).config)
    assert options["flannel-backend"] == "none"
    assert options["disable-network-policy"] is True
    assert options["disable-kube-proxy"] is True
    assert options["tls-san"] == ["192.0.2.40"]


@pytest.mark.parametrize(
    ("mode", "said"), [("", {"vip_arp": "true"}), (BGP, {"bgp_enable": "true", "bgp_as": "65000"})]
)
def test_kube_vip_is_a_static_pod_of_k3s(mode: str, said: dict[str, str]) -> None:
    plan = world_of(mode=mode).plan()
    (file,) = (o for o in step(plan, "endpoint", "s1").action.operations if isinstance(o, File))
    assert file.path == "/var/lib/rancher/k3s/agent/pod-manifests/kube-vip.yaml"
    pod = yaml.safe_load(str(file.content))
    environment = {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}
    assert said.items() <= environment.items()
    assert environment["address"] == "192.0.2.40"
    assert pod["spec"]["volumes"][0]["hostPath"]["path"] == "/etc/rancher/k3s/k3s.yaml"


def test_cilium_finds_the_api_without_a_kube_proxy_and_servers_join_with_their_vote() -> None:
    plan = world_of().plan()
    documents = step(plan, "network", "cluster-a").action.arguments["documents"]
    (agent,) = (d for d in documents if (d["kind"], d["metadata"]["name"]) == ("DaemonSet", "cilium"))
    environment = {one["name"]: one.get("value") for one in agent["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert environment["KUBERNETES_SERVICE_HOST"] == "192.0.2.40"
    assert before(plan, ("settle", "s2"), ("join", "s3"))
