"""From a cluster that runs to its definition. Law: what Raijin made comes out as it went in."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
import yaml

from raijin.definition.load import load
from raijin.facts.cluster import NodeState, Taint
from raijin.model.cluster import ClusterType
from raijin.platforms.adoption import Found, FoundHost, additions, cluster_of, remarks, site_of

PLANE = {"node-role.kubernetes.io/control-plane": ""}


def node(name: str, labels: dict[str, str] | None = None, **more: Any) -> FoundHost:
    state = NodeState(
        name, True, "v1.34.2", labels or {}, (), False, (f"192.0.2.{name[1:]}",), runtime="containerd://2"
    )
    return FoundHost(replace(state, **more), f"192.0.2.{name[1:]}")


CLUSTER = {
    "apiVersion": "kubeadm.k8s.io/v1beta4",
    "kind": "ClusterConfiguration",
    "kubernetesVersion": "v1.34.2",
    "clusterName": "kubernetes",
    "certificatesDir": "/etc/kubernetes/pki",
    "imageRepository": "registry.k8s.io",
    "controlPlaneEndpoint": "192.0.2.11:6443",
    "networking": {"podSubnet": "10.32.0.0/12", "serviceSubnet": "10.96.0.0/12", "dnsDomain": "cluster.local"},
    "apiServer": {"certSANs": ["127.0.0.1", "k8s.example.org"], "extraArgs": [{"name": "v", "value": "3"}]},
    "controllerManager": {},
    "dns": {},
    "etcd": {"local": {"dataDir": "/var/lib/etcd"}},
    "scheduler": {},
}
FOUND = Found(
    "hand",
    ClusterType.VANILLA,
    "v1.34.2",
    (node("n11", PLANE), node("w21", {"team": "a"})),
    server="192.0.2.11:6443",
    documents={"ClusterConfiguration": CLUSTER},
    daemons=frozenset({"calico-node", "kube-proxy"}),
    ssh={"user": "admin"},
)


def loaded(found: Found):
    return load(io.StringIO(yaml.safe_dump_all([site_of(found), cluster_of(found)])))


def test_a_cluster_made_by_hand() -> None:
    definition = loaded(FOUND)
    cluster = definition.cluster()
    assert (cluster.name, str(cluster.kubernetes_version)) == ("hand", "v1.34.2")
    assert [(p.name, p.role.value) for p in definition.hosts_of(cluster)] == [
        ("n11", "CONTROL_PLANE"),
        ("w21", "WORKER"),
    ]
    assert cluster.network.pod_cidr == "10.32.0.0/12"
    assert cluster.network.cni.name.value == "NONE", "what others put there is left alone"
    assert cluster.network.control_plane_endpoint is None, "it is the host itself"
    assert cluster.kubernetes.cert_sans == ("k8s.example.org",)
    assert definition.site().hosts[1].labels == {}
    assert loaded(replace(FOUND, port=7443)).cluster().kubernetes.api_server_port == 7443
    said = "\n".join(remarks(FOUND))
    assert "the container network CALICO was put there by somebody else" in said


def test_a_cluster_of_a_lost_home_comes_out_as_it_went_in() -> None:
    worker = node(
        "w21",
        {"tier": "general", "raijin.dev/cpu": "4", "node-role.kubernetes.io/storage": "", "theirs": "x"},
        managed_labels=("tier", "raijin.dev/cpu", "node-role.kubernetes.io/storage"),
        taints=(Taint("dedicated", "storage", "NoSchedule"), Taint("theirs", "", "NoExecute")),
        managed_taints=(("dedicated", "NoSchedule"),),
    )
    documents = {"ClusterConfiguration": {**CLUSTER, "controlPlaneEndpoint": "192.0.2.250:8443"}}
    found = replace(
        FOUND,
        owner="hand",
        hosts=(node("n11", PLANE), worker),
        documents=documents,
        daemons=frozenset({"kube-flannel-ds"}),
        virtual=("192.0.2.250", "KEEPALIVED"),
    )
    definition = loaded(found)
    cluster = definition.cluster()
    assert cluster.network.cni.name.value == "FLANNEL"
    assert cluster.network.virtual_ip is not None
    assert str(cluster.network.virtual_ip.address) == "192.0.2.250"
    assert cluster.network.control_plane_endpoint is None
    placed = next(p for p in definition.hosts_of(cluster) if p.name == "w21")
    assert placed.role.value == "STORAGE"
    assert placed.host.labels == {"tier": "general"}
    assert [str(taint.key) for taint in placed.host.taints] == ["dedicated"]
    assert not [remark for remark in remarks(found) if "somebody else" in remark]


def test_only_what_raijin_would_not_write_itself_is_added() -> None:
    generated = {"apiServer": {"certSANs": ["127.0.0.1"]}, "clusterName": "hand"}
    assert additions("ClusterConfiguration", CLUSTER, generated) == {
        "clusterName": "kubernetes",
        "apiServer": {"extraArgs": [{"name": "v", "value": "3"}]},
    }
    live = {"apiVersion": "x", "kind": "KubeletConfiguration", "clusterDNS": ["10.96.0.10"], "maxPods": 200}
    live |= {"evictionPressureTransitionPeriod": "0s", "failSwapOn": False, "memorySwap": {}, "podPidsLimit": 0}
    assert additions("KubeletConfiguration", live, {}) == {"maxPods": 200, "failSwapOn": False}
    ours = {"kind": "KubeProxyConfiguration", "conntrack": {"min": None, "maxPerCore": 0}, "clusterCIDR": "10.0.0.0/8"}
    assert additions("KubeProxyConfiguration", ours, {"clusterCIDR": "10.0.0.0/8"}, ours=True) == {
        "conntrack": {"min": None, "maxPerCore": 0}
    }


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"hosts": (FoundHost(node("n11", PLANE).state, "192.0.2.11", "no route"),)}, "n11 could not be reached"),
        ({"hosts": (node("n11", PLANE, runtime="cri-o://1.30"),)}, "n11 runs cri-o://1.30"),
        ({"hosts": (node("n11", PLANE), node("w21", version="v1.33.1"))}, "the nodes run different versions"),
        ({"daemons": frozenset()}, "no container network was recognised"),
        ({"kind": ClusterType.K3S, "version": "v1.32.0+k3s1"}, "settings of K3S servers"),
    ],
)
def test_what_a_person_should_know(change: dict[str, Any], remark: str) -> None:
    assert remark in "\n".join(remarks(replace(FOUND, **change)))


def test_k3s_brings_its_own_network() -> None:
    found = replace(FOUND, kind=ClusterType.K3S, version="v1.32.0+k3s1", documents={}, daemons=frozenset())
    assert "network" not in cluster_of(found)
