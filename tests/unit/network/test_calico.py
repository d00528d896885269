"""Calico, and Canal that is made of it: what follows from which setting."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.network.conftest import DUAL, cluster, network_of, wanted

from raijin.artifacts.lock import ImageEntry, Lock
from raijin.network import choice_of
from raijin.network.calico.definitions import definitions
from raijin.network.canal import pod_mtu

SIX = {"podCidr": "2001:db8:1::/48", "serviceCidr": "2001:db8:2::/112"}


def calico(**settings: Any) -> dict[str, Any]:
    return {"cni": {"name": "CALICO", "calico": settings}}


def by_name(documents: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def agent(documents: list[dict[str, Any]], name: str = "calico-node") -> dict[str, Any]:
    pod = by_name(documents)["DaemonSet", name]["spec"]["template"]["spec"]
    return next(container for container in pod["containers"] if container["name"] == "calico-node")


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {variable["name"]: variable.get("value") for variable in container["env"]}


@pytest.mark.parametrize(
    ("settings", "vxlan", "ipip"),
    [
        ({}, "Always", "Never"),
        ({"crossSubnet": True}, "CrossSubnet", "Never"),
        ({"encapsulation": "IPIP"}, "Never", "Always"),
        ({"encapsulation": "IPIP", "crossSubnet": True}, "Never", "CrossSubnet"),
        ({"encapsulation": "BGP"}, "Never", "Never"),
    ],
)
def test_encapsulation(documents: Any, settings: dict[str, Any], vxlan: str, ipip: str) -> None:
    found = documents(calico(**settings))
    pool = by_name(found)["IPPool", "default-ipv4-ippool"]["spec"]
    assert (pool["vxlanMode"], pool["ipipMode"]) == (vxlan, ipip)
    routes = vxlan == "Never"
    assert environment(agent(found))["CALICO_NETWORKING_BACKEND"] == ("bird" if routes else "vxlan")
    assert (("BGPConfiguration", "default") in by_name(found)) is routes
    probe = agent(found)["readinessProbe"]["exec"]["command"]
    assert ("-bird-ready" in probe) is routes, "without BIRD, nobody may wait for it"


@pytest.mark.parametrize(
    ("network", "four", "six", "addresses"),
    [
        ({}, "autodetect", None, {"type": "calico-ipam"}),
        (DUAL, "autodetect", "autodetect", {"type": "calico-ipam", "assign_ipv4": "true", "assign_ipv6": "true"}),
        (SIX, "none", "autodetect", {"type": "calico-ipam", "assign_ipv4": "false", "assign_ipv6": "true"}),
    ],
)
def test_families(documents: Any, network: dict[str, Any], four: str, six: str | None, addresses: object) -> None:
    found = documents({**network, **calico(encapsulation="BGP", encryption="WIREGUARD")})
    own = environment(agent(found))
    assert (own["IP"], own.get("IP6")) == (four, six)
    assert own.get("CALICO_ROUTER_ID") == ("hash" if four == "none" else None)
    felix = by_name(found)["FelixConfiguration", "default"]["spec"]
    assert felix["ipv6Support"] is (six is not None)
    assert felix.get("wireguardEnabled", False) is (four != "none")
    assert felix.get("wireguardEnabledV6", False) is (six is not None)
    pod = by_name(found)["DaemonSet", "calico-node"]["spec"]["template"]["spec"]
    chain = json.loads(environment(pod["initContainers"][1])["CNI_NETWORK_CONFIG"])
    assert chain["plugins"][0]["ipam"] == addresses


def test_the_node_is_known_by_the_address_that_kubernetes_has(documents: Any) -> None:
    """The first address that is found may be that of another card."""
    own = environment(agent(documents({**DUAL, **calico()})))
    assert own["IP_AUTODETECTION_METHOD"] == own["IP6_AUTODETECTION_METHOD"] == "kubernetes-internal-ip"


def test_what_the_definition_adds_reaches_felix(documents: Any) -> None:
    network = {"cni": {"name": "CALICO", "configuration": {"healthEnabled": True, "bpfLogLevel": "Info"}}}
    felix = by_name(documents(network))["FelixConfiguration", "default"]["spec"]
    assert felix["bpfLogLevel"] == "Info"
    assert felix["defaultEndpointToHostAction"] == "Accept"


def test_passwords_of_routers_are_refused() -> None:
    peers = [{"address": "192.0.2.1", "asn": 64512, "password": "env:BGP"}]
    one = cluster(calico(encapsulation="BGP", bgp={"peers": peers}))
    assert [path for path, _ in network_of(one).refused(one)] == ["network.cni.calico.bgp.peers[0].password"]


def test_all_images_are_of_one_version_under_the_registry_of_their_time() -> None:
    def images(version: str | None, *held: str) -> set[str]:
        one = cluster({"cni": {"name": "CALICO", **({"version": version} if version else {})}})
        lock = Lock((), tuple(ImageEntry(ref, "amd64", f"{n}.tar", "a" * 64) for n, ref in enumerate(held)))
        network = network_of(one)
        refs = network.images(one, choice_of(one, one.version, lock, network.main_image))
        return {f"{ref.rpartition('/')[0]}:{ref.rpartition(':')[2]}" for ref in refs}

    assert images(None) == {"quay.io/calico:v3.32.1"}
    assert images("3.30.7") == {"docker.io/calico:v3.30.7"}
    assert images(None, "docker.io/calico/node:v3.28.5") == {"docker.io/calico:v3.28.5"}
    assert images(None, "docker.io/calico/node:v3.28.5", "quay.io/calico/node:v3.31.7") == {"quay.io/calico:v3.31.7"}


def test_kernels_and_ports() -> None:
    def of(**settings: Any) -> tuple[tuple[int, int], set[int]]:
        one = cluster(calico(**settings))
        network = network_of(one)
        return network.least_kernel(one), set(network.ports(wanted(one)))

    assert of() == ((0, 0), {9099})
    assert of(encryption="WIREGUARD", typha=1) == ((5, 6), {9099, 5473})
    assert of(dataplane="EBPF", encapsulation="BGP") == ((5, 10), {9099, 179})


def test_every_kind_is_defined_once() -> None:
    names = [document["metadata"]["name"] for document in definitions()]
    assert len(names) == len(set(names)) == 22
    assert "networkpolicies.crd.projectcalico.org" in names
    assert "bgppeers.crd.projectcalico.org" in names


@pytest.mark.parametrize(
    ("network", "mtu"),
    [
        ({}, 1450),
        (DUAL, 1430),
        ({"cni": {"backend": "host-gw"}}, 1500),
        ({"cni": {"backend": "wireguard"}}, 1420),
        ({"cni": {"flannel": {"mtu": 9000}}}, 8950),
    ],
)
def test_canal_tells_calico_what_flannel_puts_around_packets(network: dict[str, Any], mtu: int) -> None:
    one = cluster({**network, "cni": {**network.get("cni", {}), "name": "CANAL"}})
    assert pod_mtu(wanted(one)) == mtu


def test_a_running_canal_keeps_its_backend() -> None:
    one = cluster({"cni": {"name": "CANAL", "backend": "host-gw"}})
    live = {"ConfigMap kube-system/canal-config": {"data": {"net-conf.json": '{"Backend": {"Type": "vxlan"}}'}}}
    assert list(network_of(one).conflicts(wanted(one), live)) == [
        "flannel runs with the backend vxlan, and a running flannel cannot change to host-gw"
    ]


def test_addresses_of_canal_are_the_nodes(documents: Any) -> None:
    pod = by_name(documents({**DUAL, "cni": {"name": "CANAL"}}))["DaemonSet", "canal"]["spec"]["template"]["spec"]
    chain = json.loads(environment(pod["initContainers"][0])["CNI_NETWORK_CONFIG"])
    ranges = [[{"subnet": "usePodCidr"}], [{"subnet": "usePodCidrIPv6"}]]
    assert chain["plugins"][0]["ipam"] == {"type": "host-local", "ranges": ranges}
    assert chain["plugins"][0]["mtu"] == 1430, "a number: the plugin reads nothing else"
