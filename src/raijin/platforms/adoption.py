"""From a cluster that runs to a definition of it: what is recognised, what is left out, and what a person must know.

Pure: what was read of the cluster goes in, plain documents and remarks come out. Nothing of it changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from raijin.facts.cluster import NodeState
from raijin.model.cluster import ClusterType

Document = dict[str, Any]
PORT = 6443
ROLE = "node-role.kubernetes.io/"
HARDWARE = "raijin.dev/"
"""Prefix of the labels that Raijin works out itself."""
NETWORKS = {
    "kube-flannel-ds": "FLANNEL", "canal": "CANAL", "calico-node": "CALICO", "cilium": "CILIUM",
    "ovnkube-node": "OVN_KUBERNETES",
}  # fmt: skip
"""Container networks by the DaemonSet that each of them runs."""
KUBEADM_KINDS = ("ClusterConfiguration", "KubeletConfiguration", "KubeProxyConfiguration")
FIELDS = {
    "ClusterConfiguration": "clusterConfiguration",
    "KubeletConfiguration": "kubeletConfiguration",
    "KubeProxyConfiguration": "kubeProxyConfiguration",
}
# What kubeadm itself writes into its objects (kubeadm and kubelet API references, defaults), and what has fields of its
# own in a definition. To be silent about it is no change.
_USUAL: dict[str, frozenset[str]] = {
    "ClusterConfiguration": frozenset(
        {
            "apiVersion", "kind", "kubernetesVersion", "certificatesDir", "caCertificateValidityPeriod",
            "certificateValidityPeriod", "encryptionAlgorithm", "networking", "controlPlaneEndpoint",
        }
    ),
    "KubeletConfiguration": frozenset(
        {
            "apiVersion", "kind", "authentication", "authorization", "cgroupDriver", "clusterDNS", "clusterDomain",
            "healthzBindAddress", "healthzPort", "rotateCertificates", "staticPodPath", "resolvConf", "logging",
            "containerRuntimeEndpoint", "imageMaximumGCAge",
        }
    ),
    "KubeProxyConfiguration": frozenset(
        {"apiVersion", "kind", "bindAddress", "clientConnection", "clusterCIDR", "logging"}
    ),
}  # fmt: skip
_FIELDS = frozenset({"apiVersion", "kind", "kubernetesVersion", "networking", "controlPlaneEndpoint"})
"""What has a field of its own in a definition."""
_DEFAULTS = {"imageRepository": "registry.k8s.io", "etcd": {"local": {"dataDir": "/var/lib/etcd"}}}


@dataclass(frozen=True, slots=True)
class FoundHost:
    """A node and its host. fault: why the host cannot be reached, if it cannot."""

    state: NodeState
    address: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was read. owner: the cluster that Raijin claimed the hosts for before, empty where it did not.

    server: `host:port` of the API as the administrator's kubeconfig has it. port: of the API servers. documents:
    kubeadm's objects by kind; ours: those that are as Raijin has written them. virtual: the address that keepalived or
    kube-vip of Raijin's own carries, and by which of them. ssh: of the Site.
    """

    name: str
    kind: ClusterType
    version: str
    hosts: tuple[FoundHost, ...]
    owner: str = ""
    server: str = ""
    port: int = PORT
    documents: Mapping[str, Document] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    daemons: frozenset[str] = frozenset()
    virtual: tuple[str, str] | None = None
    ssh: Mapping[str, Any] = field(default_factory=dict)


def site_of(found: Found) -> Document:
    hosts = []
    for host in found.hosts:
        entry: Document = {"name": host.state.name, "address": host.address}
        labels = {key: host.state.labels.get(key, "") for key in host.state.managed_labels if _is_own(key)}
        taints = [str(taint) for taint in host.state.taints if (taint.key, taint.effect) in host.state.managed_taints]
        entry |= ({"labels": labels} if labels else {}) | ({"taints": taints} if taints else {})
        hosts.append(entry)
    return {"kind": "Site", **({"ssh": dict(found.ssh)} if found.ssh else {}), "hosts": hosts}


def _is_own(label: str) -> bool:
    """Whether somebody wrote it into a definition: the others come from hardware and role."""
    return not label.startswith((HARDWARE, ROLE))


def cluster_of(found: Found) -> Document:
    """Without the additions to kubeadm's objects, which need this one to be known."""
    groups = [
        {"name": name, "role": role, "hosts": hosts}
        for name, role in _GROUPS
        if (hosts := [host.state.name for host in found.hosts if _role(host.state) == role])
    ]
    document: Document = {
        "kind": "Cluster", "name": found.name, "type": found.kind.value, "version": found.version,
    }  # fmt: skip
    network = _network(found)
    names = _names(found)
    kubernetes: Document = {"apiServerPort": found.port} if found.port != PORT else {}
    kubernetes |= {"certSans": names} if names else {}
    return {
        **document,
        **({"network": network} if network else {}),
        "nodeGroups": groups,
        **({"kubernetes": kubernetes} if kubernetes else {}),
    }


_GROUPS = (
    ("control-plane", "CONTROL_PLANE"), ("workers", "WORKER"), ("storage", "STORAGE"), ("infra", "INFRA"),
)  # fmt: skip


def _role(node: NodeState) -> str:
    if node.control_plane or f"{ROLE}master" in node.labels:
        return "CONTROL_PLANE"
    return next((role for role in ("STORAGE", "INFRA") if f"{ROLE}{role.lower()}" in node.labels), "WORKER")


def _network(found: Found) -> Document:
    networking = found.documents.get("ClusterConfiguration", {}).get("networking") or {}
    given = {"podCidr": "podSubnet", "serviceCidr": "serviceSubnet", "dnsDomain": "dnsDomain"}
    network: Document = {name: networking[key] for name, key in given.items() if networking.get(key)}
    running = network_of(found)
    if running != "NONE" or found.kind is ClusterType.VANILLA:  # the others bring one along
        network["cni"] = {"name": running if found.owner else "NONE"}
    endpoint = str(found.documents.get("ClusterConfiguration", {}).get("controlPlaneEndpoint") or "")
    if found.virtual is not None:
        network["virtualIp"] = {"address": found.virtual[0], "provider": found.virtual[1]}
        endpoint = "" if endpoint.rpartition(":")[0].strip("[]") == found.virtual[0] else endpoint
    planes = [host.address for host in found.hosts if _role(host.state) == "CONTROL_PLANE"]
    if endpoint and endpoint.rpartition(":")[0].strip("[]") not in planes:
        network["controlPlaneEndpoint"] = endpoint
    return network


def network_of(found: Found) -> str:
    return next((name for daemon, name in NETWORKS.items() if daemon in found.daemons), "NONE")


def _names(found: Found) -> list[str]:
    """Those in the certificate of the API server that Raijin does not put there anyway."""
    names = (found.documents.get("ClusterConfiguration", {}).get("apiServer") or {}).get("certSANs") or []
    usual = {"127.0.0.1", "localhost", *([found.virtual[0]] if found.virtual else [])}
    return [str(name) for name in names if name not in usual]


def additions(kind: str, live: Mapping[str, Any], generated: Mapping[str, Any], *, ours: bool = False) -> Document:
    """What an object of kubeadm has beside what Raijin would write and what kubeadm always writes itself.

    ours: it is as Raijin has written it, where every value was meant, also those that stand for a default.
    """
    usual = _FIELDS if ours else _USUAL.get(kind, frozenset())
    kept = {key: value for key, value in live.items() if key not in usual and _DEFAULTS.get(key) != value}
    if kind == "ClusterConfiguration":
        server = {key: value for key, value in (kept.get("apiServer") or {}).items() if key != "certSANs"}
        kept["apiServer"] = server
        if not server:
            del kept["apiServer"]
    return _beside(kept, generated, ours=ours)


def _beside(live: Mapping[str, Any], generated: Mapping[str, Any], *, ours: bool) -> Document:
    found: Document = {}
    for key, value in live.items():
        known = generated.get(key)
        if (_is_nothing(value) and not ours) or (key in generated and value == known):
            continue
        if isinstance(value, Mapping) and value:
            more = _beside(value, known if isinstance(known, Mapping) else {}, ours=ours)
            if more:
                found[key] = more
        else:
            found[key] = value
    return found


def _is_nothing(value: object) -> bool:
    """Zero values, which stand for a default; a plain False is one that somebody may have meant."""
    return value in (None, "", "0s") or value in ([], {}) or (value == 0 and value is not False)


def remarks(found: Found) -> Iterable[str]:
    """What a person should know before the first plan."""
    for host in found.hosts:
        if host.fault:
            yield f"{host.state.name} could not be reached at {host.address} ({host.fault}): it is no member yet"
        if host.state.runtime and not host.state.runtime.startswith("containerd"):
            yield f"{host.state.name} runs {host.state.runtime}; Raijin knows only containerd"
    versions = sorted({host.state.version for host in found.hosts})
    if len(versions) > 1:
        yield f"the nodes run different versions ({', '.join(versions)}); an apply upgrades the older ones"
    if not found.owner:
        running = network_of(found)
        if running != "NONE":
            yield f"the container network {running} was put there by somebody else; it is left alone (cni: NONE)"
        elif found.kind is ClusterType.VANILLA:
            yield "no container network was recognised; whatever there is, is left alone (cni: NONE)"
        yield "labels and taints that others have set are left alone, and are not written here"
        yield "what carries the address of the API, if it is not one of the hosts, is left alone"
    if found.kind is not ClusterType.VANILLA:
        yield f"settings of {found.kind} servers and agents (their config.yaml, flags of their units) are not read"
