"""flannel's own configuration, and what of it can be changed."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.network.conftest import DUAL, cluster, network_of, wanted

from raijin.artifacts.lock import ImageEntry, Lock
from raijin.network import choice_of
from raijin.network.flannel import IMAGE, net_conf


def conf(network: dict[str, Any]) -> dict[str, Any]:
    return net_conf(cluster(network))


def test_dual_stack() -> None:
    assert conf(DUAL) == {
        "EnableNFTables": False,
        "Backend": {"Type": "vxlan"},
        "Network": "10.244.0.0/16",
        "EnableIPv6": True,
        "IPv6Network": "2001:db8:1::/48",
    }


def test_ipv6_alone() -> None:
    alone = conf({"podCidr": "2001:db8:1::/48", "serviceCidr": "2001:db8:2::/112"})
    assert (alone["EnableIPv4"], alone["EnableIPv6"]) == (False, True)
    assert "Network" not in alone


def test_what_the_definition_adds_is_merged_and_wins() -> None:
    added = {"Backend": {"VNI": 7, "Port": 4789}, "EnableNFTables": True}
    merged = conf({"cni": {"flannel": {"port": 8473}, "configuration": added}})
    assert merged["Backend"] == {"Type": "vxlan", "VNI": 7, "Port": 4789}
    assert merged["EnableNFTables"] is True


def test_the_ports_of_wireguard_are_a_pair() -> None:
    backend = conf({"cni": {"backend": "wireguard", "flannel": {"port": 51830}}})["Backend"]
    assert backend == {"Type": "wireguard", "ListenPort": 51830, "ListenPortV6": 51831}


def test_a_running_flannel_does_not_change_its_backend() -> None:
    one = cluster({"cni": {"backend": "host-gw"}})
    network = network_of(one)
    live = {"ConfigMap kube-flannel/kube-flannel-cfg": {"data": {"net-conf.json": '{"Backend": {"Type": "vxlan"}}'}}}
    (reason,) = network.conflicts(wanted(one), live)
    assert reason == "flannel runs with the backend vxlan, and a running flannel cannot change to host-gw"
    assert list(network.conflicts(wanted(cluster({})), live)) == []
    assert list(network.conflicts(wanted(one), {})) == []
    odd = {"ConfigMap kube-flannel/kube-flannel-cfg": {"data": {"net-conf.json": "{"}}}
    assert list(network.conflicts(wanted(one), odd)) == []


def test_a_changed_configuration_restarts_the_daemons(documents: Any) -> None:
    def stamp(network: dict[str, Any]) -> object:
        (daemon_set,) = (d for d in documents(network) if d["kind"] == "DaemonSet")
        return daemon_set["spec"]["template"]["metadata"]["annotations"]

    assert stamp({}) != stamp({"cni": {"flannel": {"mtu": 1400}}})
    assert stamp({}) == stamp({"cni": {"version": "v0.28.8"}})


def test_only_a_flannel_that_tells_its_health_is_asked_for_it(documents: Any) -> None:
    def args(version: str) -> list[str]:
        (daemon_set,) = (d for d in documents({"cni": {"version": version}}) if d["kind"] == "DaemonSet")
        (container,) = daemon_set["spec"]["template"]["spec"]["containers"]
        assert ("readinessProbe" in container) is ("--healthz-port=8081" in container["args"])
        return list(container["args"])

    assert "--healthz-port=8081" in args("0.28.9")
    assert "--healthz-port=8081" not in args("v0.27.4")
    old, new = cluster({"cni": {"version": "v0.27.4"}}), cluster({})
    assert network_of(old).ports(wanted(old)) == {}
    assert network_of(new).ports(wanted(new)) == {8081: "flannel"}


def test_versions_the_definition_then_the_bundle_then_our_own() -> None:
    def image(version: str | None, *held: str) -> str:
        one = cluster({"cni": {"version": version} if version else {}})
        lock = Lock((), tuple(ImageEntry(f"{IMAGE}:{tag}", "amd64", f"{tag}.tar", "a" * 64) for tag in held))
        return network_of(one).images(one, choice_of(one, one.version, lock, IMAGE))[0].rpartition(":")[2]

    assert image(None) == "v0.28.9"
    assert image(None, "v0.28.4", "v0.27.4") == "v0.28.4"
    assert image(None, "v0.28.4", "v0.28.9") == "v0.28.9"
    assert image("0.27.4", "v0.28.4") == "v0.27.4"


def test_the_chain_is_json(documents: Any) -> None:
    (files,) = (d["data"] for d in documents({}) if d["kind"] == "ConfigMap")
    assert [plugin["type"] for plugin in json.loads(files["cni-conf.json"])["plugins"]] == ["flannel", "portmap"]


def test_wireguard_needs_a_kernel_that_has_it() -> None:
    one = cluster({"cni": {"backend": "wireguard"}})
    assert network_of(one).least_kernel(one) == (5, 6)
