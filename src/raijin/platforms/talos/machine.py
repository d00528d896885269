"""The machine configuration of a Talos host, built as data.

Source: the reference of v1alpha1 and of the other kinds in v1.12, and `talosctl gen config` of v1.12.0, whose result
this is, field by field, for the same settings (a test compares them).
"""

from __future__ import annotations

from typing import Any

from raijin.model.cluster import Cluster
from raijin.model.cni import CniName
from raijin.model.names import split_endpoint
from raijin.platforms.addresses import api_endpoint, known_address
from raijin.platforms.base import Context, Node
from raijin.platforms.talos.bundle import marked
from raijin.platforms.talos.merge import patched
from raijin.platforms.talos.settings import Settings, settings_of

Document = dict[str, Any]
KUBERNETES = "registry.k8s.io"
KUBELET = "ghcr.io/siderolabs/kubelet"
DEFAULT_PORT = 6443


def documents(context: Context, node: Node, *, kubernetes: str, link: str) -> list[Document]:
    """All documents of one machine, with words in the place of secrets.

    kubernetes: its version, as v1.35.0. link: the interface that may carry the virtual address.
    """
    cluster, settings = context.cluster, settings_of(context.cluster)
    config = {
        "version": "v1alpha1",
        "debug": False,
        "persist": True,
        "machine": _machine(context, node, settings, kubernetes),
        "cluster": _cluster(context, node, settings, kubernetes),
    }
    # `auto: off` beside a name is refused: a name is already not automatic.
    found: list[Document] = [config, _kind("HostnameConfig", hostname=node.name)]
    vip = cluster.network.virtual_ip
    if vip is not None and node.control_plane:
        found.append(_kind("Layer2VIPConfig", name=str(vip.address), link=str(vip.interface or link)))
    for registry, mirrors in cluster.kubernetes.container_runtime.registry_mirrors.items():
        found.append(_kind("RegistryMirrorConfig", name=registry, endpoints=[{"url": mirror} for mirror in mirrors]))
    if settings.name_servers:
        found.append(_kind("ResolverConfig", nameservers=[{"address": server} for server in settings.name_servers]))
    if settings.time_servers:
        found.append(_kind("TimeSyncConfig", ntp={"servers": list(settings.time_servers)}))
    own = settings.control_plane_patches if node.control_plane else settings.worker_patches
    patches = [*settings.patches, *own, *settings.host_patches.get(node.name, ())]
    first, *others = patched(found, patches)
    return [marked(first, control_plane=node.control_plane), *others]


def install_image(cluster: Cluster, version: str) -> str:
    return f"{settings_of(cluster).install_image}:{version}"


def _kind(kind: str, **fields: Any) -> Document:
    return {"apiVersion": "v1alpha1", "kind": kind, **fields}


def _machine(context: Context, node: Node, settings: Settings, kubernetes: str) -> Document:
    cluster = context.cluster
    machine: Document = {
        "type": "controlplane" if node.control_plane else "worker",
        "certSANs": _names(known_address(node)),
        "kubelet": {
            "image": f"{KUBELET}:{kubernetes}",
            "defaultRuntimeSeccompProfileEnabled": True,
            "disableManifestsDirectory": True,
        },
        "network": {},
        "install": {
            "disk": settings.install_disk,
            "image": install_image(cluster, str(cluster.kubernetes_version)),
            "wipe": settings.wipe_disk,
            "grubUseUKICmdline": True,
        },
        "features": {
            "diskQuotaSupport": True,
            "kubePrism": {"enabled": True, "port": 7445},
            "hostDNS": {"enabled": True, "forwardKubeDNSToHost": True},
        },
    }
    if node.control_plane:
        machine["nodeLabels"] = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    return machine


def _cluster(context: Context, node: Node, settings: Settings, kubernetes: str) -> Document:
    cluster, network = context.cluster, context.cluster.network
    port = cluster.kubernetes.api_server_port
    plane: Document = {"endpoint": f"https://{api_endpoint(context)}"}
    if port != DEFAULT_PORT:
        plane["localAPIServerPort"] = port
    body: Document = {
        "controlPlane": plane,
        "clusterName": cluster.name,
        "network": {
            "dnsDomain": network.dns_domain,
            "podSubnets": [str(net) for net in network.pod_networks],
            "serviceSubnets": [str(net) for net in network.service_networks],
        },
        "discovery": {"enabled": True, "registries": {"kubernetes": {"disabled": True}, "service": {}}},
    }
    if network.cni.name is CniName.NONE:
        body["network"]["cni"] = {"name": "none"}
    if not node.control_plane:
        return body
    body["apiServer"] = {
        "image": f"{KUBERNETES}/kube-apiserver:{kubernetes}",
        "certSANs": _names(split_endpoint(api_endpoint(context), 0)[0], *map(str, cluster.kubernetes.cert_sans)),
        "admissionControl": [{"name": "PodSecurity", "configuration": _POD_SECURITY}],
        "auditPolicy": {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]},
    }
    body["controllerManager"] = {"image": f"{KUBERNETES}/kube-controller-manager:{kubernetes}"}
    body["proxy"] = {"image": f"{KUBERNETES}/kube-proxy:{kubernetes}"}
    body["scheduler"] = {"image": f"{KUBERNETES}/kube-scheduler:{kubernetes}"}
    if settings.schedule_on_control_planes:
        body["allowSchedulingOnControlPlanes"] = True
    return body


def _names(*names: str) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


_POD_SECURITY: Document = {
    "apiVersion": "pod-security.admission.config.k8s.io/v1alpha1",
    "kind": "PodSecurityConfiguration",
    "defaults": {
        "audit": "restricted",
        "audit-version": "latest",
        "enforce": "baseline",
        "enforce-version": "latest",
        "warn": "restricted",
        "warn-version": "latest",
    },
    "exemptions": {"namespaces": ["kube-system"], "runtimeClasses": [], "usernames": []},
}
