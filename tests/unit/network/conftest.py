"""Clusters with a container network, as their definitions say them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from raijin.artifacts.images import ImageRef
from raijin.artifacts.lock import Lock
from raijin.model.cluster import Cluster
from raijin.network import choice_of, container_network
from raijin.network.cni import ContainerNetwork, Wanted

DUAL = {"podCidr": "10.244.0.0/16,2001:db8:1::/48", "serviceCidr": "10.96.0.0/12,2001:db8:2::/112"}
# One golden file each: what the definition says of the network.
CASES: dict[str, dict[str, Any]] = {
    "flannel": {"cni": {"name": "FLANNEL"}},
    "flannel-nftables-dual-stack": {
        **DUAL,
        "cni": {"name": "FLANNEL", "flannel": {"nftables": True, "directRouting": True, "interface": "eth1"}},
    },
    "flannel-wireguard": {
        "cni": {
            "name": "FLANNEL",
            "version": "v0.28.4",
            "backend": "wireguard",
            "flannel": {"mtu": 1420, "port": 51830},
            "configuration": {"Backend": {"PersistentKeepaliveInterval": 25}},
        }
    },
    "calico": {"cni": {"name": "CALICO"}},
    "calico-ebpf-wireguard-dual-stack": {
        **DUAL,
        "cni": {
            "name": "CALICO",
            "calico": {
                "dataplane": "EBPF",
                "encryption": "WIREGUARD",
                "crossSubnet": True,
                "mtu": 1400,
                "typha": 3,
            },
        },
    },
    "calico-bgp-nftables": {
        "cni": {
            "name": "CALICO",
            "calico": {
                "encapsulation": "BGP",
                "dataplane": "NFTABLES",
                "natOutgoing": False,
                "blockSize": 24,
                "bgp": {"asn": 64513, "nodeMesh": False, "peers": [{"address": "192.0.2.1", "asn": 64512}]},
            },
            "configuration": {"logSeverityScreen": "Warning"},
        },
    },
    "canal": {"cni": {"name": "CANAL"}},
    "cilium": {"cni": {"name": "CILIUM"}},
    "cilium-beside-kube-proxy": {
        "cni": {
            "name": "CILIUM",
            "version": "v1.15.19",
            "cilium": {
                "kubeProxyReplacement": False,
                "l7Proxy": False,
                "hubble": {"enabled": False},
                "tunnel": "GENEVE",
            },
        }
    },
    "cilium-native-wireguard-hubble-dual-stack": {
        **DUAL,
        "dnsDomain": "prod.example.org",
        "cni": {
            "name": "CILIUM",
            "cilium": {
                "routing": "NATIVE",
                "encryption": "WIREGUARD",
                "hubble": {"relay": True},
                "clusterId": 7,
                "mtu": 1450,
            },
            "configuration": {"enable-bpf-masquerade": True, "bpf-lb-map-max": 131072},
        },
    },
    "canal-dual-stack": {
        **DUAL,
        "cni": {"name": "CANAL", "version": "3.31.7", "flannel": {"mtu": 9000, "interface": "eth1"}},
    },
    "calico-ipip-v3.28": {
        "cni": {"name": "CALICO", "version": "v3.28.5", "calico": {"encapsulation": "IPIP", "crossSubnet": True}}
    },
}


def cluster(network: dict[str, Any], **more: object) -> Cluster:
    groups = [
        {"name": "cp", "role": "CONTROL_PLANE", "hosts": ["n1"]},
        {"name": "workers", "role": "WORKER", "hosts": ["w1", "w2"]},
    ]
    document = {"name": "prod", "type": "VANILLA", "version": "v1.34.2", "nodeGroups": groups, "network": network}
    return Cluster.model_validate({**document, **more})


def network_of(one: Cluster) -> ContainerNetwork:
    network = container_network(one)
    assert network is not None
    return network


def wanted(one: Cluster) -> Wanted:
    """As lifecycle/desired.py makes it, with the versions that nobody pins or holds."""
    network = network_of(one)
    refs = map(ImageRef.parse, network.images(one, choice_of(one, one.version, Lock(), network.main_image)))
    api = ("192.0.2.10", 6443) if one.network.cni.replaces_kube_proxy else ("", 0)
    return Wanted(one, {ref.name: ref.tag for ref in refs}, api)


@pytest.fixture
def documents() -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    def make(network: dict[str, Any]) -> list[dict[str, Any]]:
        one = cluster(network)
        return network_of(one).documents(wanted(one))

    return make
