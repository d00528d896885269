"""Static pods and the kubelet's file, as kubeadm writes them on a simulated host: of settings those that are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from raijin.facts.security import KUBELET_CONFIG
from raijin.platforms.kubeadm.paths import MANIFESTS, PKI
from raijin.transport.yamls import write_yaml
from raijin.twin import etcd
from raijin.twin.cluster import Cluster
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

PARTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
# After the manifests and the kubelet's file that kubeadm 1.34 writes (its phases control-plane, etcd, kubelet-config).
_API = {
    "authorization-mode": "Node,RBAC", "client-ca-file": f"{PKI}/ca.crt", "enable-admission-plugins": "NodeRestriction",
}  # fmt: skip
_ETCD = {"client-cert-auth": "true", "peer-client-cert-auth": "true"}
_KUBELET: dict[str, Any] = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}},
    "authorization": {"mode": "Webhook"},
}


def given(wanted: Mapping[str, Any]) -> dict[str, str]:
    """The flags of the API server that a ClusterConfiguration adds: a mapping in v1beta3, a list in v1beta4."""
    extra = wanted.get("apiServer", {}).get("extraArgs") or {}
    pairs = extra.items() if isinstance(extra, dict) else ((item["name"], item["value"]) for item in extra)
    return {str(name): str(value) for name, value in pairs}


def upload(cluster: Cluster, documents: Mapping[str, dict[str, Any]]) -> None:
    """What `kubeadm init phase upload-config` keeps in the cluster, as far as somebody reads it here."""
    cluster.settings["flags"] = given(documents["ClusterConfiguration"])
    cluster.settings["kubelet"] = dict(documents.get("KubeletConfiguration") or {})


def flags(site: TwinSite) -> Mapping[str, str]:
    """Those that the cluster keeps for whoever joins or is upgraded."""
    kept: Mapping[str, str] = site.cluster.settings.get("flags", {}) if site.cluster else {}
    return kept


def write(host: Host, version: str, own: Mapping[str, str]) -> None:
    for part in PARTS:
        _manifest(host, part, f"registry.k8s.io/{part}:{version}", {**_API, **own} if part == "kube-apiserver" else {})


def write_etcd(host: Host) -> None:
    _manifest(host, "etcd", f"registry.k8s.io/etcd:{etcd.VERSION}-0", _ETCD)


def _manifest(host: Host, name: str, image: str, settings: Mapping[str, str]) -> None:
    text = f"kind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n  - name: {name}\n    image: {image}\n"
    command = "".join(f"    - --{flag}={value}\n" for flag, value in settings.items())
    host.write(f"{MANIFESTS}/{name}.yaml", f"{text}    command:\n    - {name}\n{command}", mode="600")


def write_kubelet(site: TwinSite, host: Host) -> None:
    own = site.cluster.settings.get("kubelet", {}) if site.cluster else {}
    host.write(KUBELET_CONFIG, write_yaml({**_KUBELET, **own}))
