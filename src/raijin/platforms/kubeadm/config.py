"""kubeadm's configuration, built as data. Sources: kubeadm API reference v1beta3 (to 1.30) and v1beta4 (from 1.31)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from raijin.model.cluster import Cluster
from raijin.model.duration import format_duration
from raijin.platforms.addresses import api_endpoint, node_address, node_addresses
from raijin.platforms.base import Context, Node
from raijin.platforms.kubeadm import apiserver, external
from raijin.platforms.kubeadm.paths import CRI_SOCKET

Document = dict[str, Any]
LOOPBACK = "127.0.0.1"
FIRST_BETA4_MINOR = 31
"""From this minor on a cluster can be told, and remembers, that it has no kube-proxy."""
CGROUP_V1_OPT_IN_MINOR = 35
"""From this minor on the kubelet refuses cgroup v1 unless told otherwise (KEP-5573)."""


def init_documents(context: Context) -> list[Document]:
    """What `kubeadm init` reads: Init-, Cluster-, Kubelet- and KubeProxyConfiguration, user additions merged in.

    Where the container network stands in for kube-proxy, there is none of it (ClusterConfiguration, `proxy.disabled`).
    """
    cluster, kubeadm = context.cluster, context.cluster.kubernetes.kubeadm
    init: Document = {
        "apiVersion": api_version(cluster),
        "kind": "InitConfiguration",
        # A token that only serves `init` itself; hosts join with tokens of their own (see calls.py).
        "bootstrapTokens": [{"ttl": "15m0s", "description": "made by kubeadm init for itself"}],
        "localAPIEndpoint": _local_endpoint(context, context.first),
        "nodeRegistration": node_registration(context, context.first),
    }
    if kubeadm.timeouts and beta4(cluster):
        init["timeouts"] = {name: format_duration(value) for name, value in kubeadm.timeouts.items()}
    documents = [
        merge(init, kubeadm.init_configuration),
        merge(_cluster_configuration(context), kubeadm.cluster_configuration),
        kubelet_configuration(cluster),
    ]
    if not cluster.network.cni.replaces_kube_proxy:
        documents.append(merge(_kube_proxy(cluster), kubeadm.kube_proxy_configuration))
    return documents


def running_documents(context: Context, node: Node) -> list[Document]:
    """What `kubeadm init phase ...` reads on a control plane host that runs: without what only a start needs."""
    init, *others = init_documents(context)
    return [
        {
            "apiVersion": init["apiVersion"],
            "kind": init["kind"],
            "bootstrapTokens": init["bootstrapTokens"],
            "localAPIEndpoint": _local_endpoint(context, node),
            "nodeRegistration": {"name": node.name, "criSocket": CRI_SOCKET},
        },
        *others,
    ]


def join_document(context: Context, node: Node) -> Document:
    """What `kubeadm join` reads, without what is secret (the call that lets the host in adds token and key)."""
    cluster, kubeadm = context.cluster, context.cluster.kubernetes.kubeadm
    join: Document = {
        "apiVersion": api_version(cluster),
        "kind": "JoinConfiguration",
        "nodeRegistration": node_registration(context, node),
    }
    if node.control_plane:
        join["controlPlane"] = {"localAPIEndpoint": _local_endpoint(context, node)}
    if kubeadm.timeouts and beta4(cluster):
        join["timeouts"] = {name: format_duration(value) for name, value in kubeadm.timeouts.items()}
    return merge(join, kubeadm.join_configuration)


def _local_endpoint(context: Context, node: Node) -> Document:
    """Where the API server of one control plane host listens."""
    return {"advertiseAddress": node_address(node), "bindPort": context.cluster.kubernetes.api_server_port}


def node_registration(context: Context, node: Node) -> Document:
    addresses = ",".join(node_addresses(context, node))
    registration: Document = {
        "name": node.name,
        "criSocket": CRI_SOCKET,
        "imagePullPolicy": "IfNotPresent",
        "kubeletExtraArgs": arguments(context.cluster, {"node-ip": addresses}),
    }
    if not context.workers and node.name == context.first.name:
        # Nobody else could run a pod: the only machine is for everything.
        registration["taints"] = []
    return registration


def _cluster_configuration(context: Context) -> Document:
    cluster, network = context.cluster, context.cluster.network
    document: Document = {
        "apiVersion": api_version(cluster),
        "kind": "ClusterConfiguration",
        "clusterName": cluster.name,
        "kubernetesVersion": str(cluster.kubernetes_version),
        # Always: without one, kubeadm lets no second control plane host in.
        "controlPlaneEndpoint": api_endpoint(context),
        "networking": {
            "podSubnet": network.pod_cidr,
            "serviceSubnet": network.service_cidr,
            "dnsDomain": network.dns_domain,
        },
        "apiServer": {"certSANs": _names(cluster), **_api_server(context)},
        "controllerManager": {"extraArgs": _mask_sizes(cluster)},
        **external.configuration(cluster),
    }
    if network.cni.replaces_kube_proxy:
        document["proxy"] = {"disabled": True}  # kept in the cluster, so that upgrades and their images know it too
    return document


def _api_server(context: Context) -> Document:
    """Flags and files of the API servers, where they have some of ours."""
    flags = apiserver.flags(context)
    if not flags:
        return {}
    return {"extraArgs": arguments(context.cluster, flags), "extraVolumes": apiserver.volumes(context)}


def _names(cluster: Cluster) -> list[str]:
    """Names and addresses in the certificates of the API servers, beside those that kubeadm adds for each host.

    127.0.0.1: Raijin itself reaches the API through the SSH connection of the host (transport/kube.py).
    """
    vip = cluster.network.virtual_ip
    names = [LOOPBACK, "localhost", *map(str, cluster.kubernetes.cert_sans), *([str(vip.address)] if vip else [])]
    return list(dict.fromkeys(names))


def _mask_sizes(cluster: Cluster) -> object:
    """The prefix length of each node's pod network; dual stack has a flag for each family."""
    size = str(cluster.network.node_cidr_mask_size)
    dual = len(cluster.network.pod_networks) > 1
    return arguments(cluster, {"node-cidr-mask-size-ipv4" if dual else "node-cidr-mask-size": size})


def kubelet_configuration(cluster: Cluster) -> Document:
    kubelet = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "systemd"}
    return merge(kubelet, cluster.kubernetes.kubeadm.kubelet_configuration)


def _kube_proxy(cluster: Cluster) -> Document:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clusterCIDR": cluster.network.pod_cidr,
    }


def kubelet_allows_cgroup_v1(context: Context) -> bool:
    """Whether a kubelet of this version and configuration starts on a host with cgroup v1."""
    if context.cluster.kubernetes_version.minor < CGROUP_V1_OPT_IN_MINOR:
        return True
    return context.cluster.kubernetes.kubeadm.kubelet_configuration.get("failCgroupV1") is False


def beta4(cluster: Cluster) -> bool:
    return cluster.kubernetes_version.minor >= FIRST_BETA4_MINOR


def api_version(cluster: Cluster) -> str:
    return "kubeadm.k8s.io/v1beta4" if beta4(cluster) else "kubeadm.k8s.io/v1beta3"


def arguments(cluster: Cluster, values: Mapping[str, str]) -> object:
    """Extra arguments: a mapping in v1beta3, a list of name and value in v1beta4."""
    if beta4(cluster):
        return [{"name": name, "value": value} for name, value in values.items()]
    return dict(values)


def merge(generated: Document, added: Mapping[str, Any]) -> Document:
    """User additions over what Raijin generates: mappings merged, lists of named items by name, the rest replaced."""
    merged = dict(generated)
    for key, value in added.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            merged[key] = merge(old, value)
        elif isinstance(old, list) and _named(old) and _named(value):
            names = {item["name"] for item in value}
            merged[key] = [*(item for item in old if item["name"] not in names), *value]
        else:
            merged[key] = value
    return merged


def _named(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(i, Mapping) and "name" in i for i in value)


def to_yaml(documents: list[Document]) -> str:
    """The documents as one file, keys in the order of building."""
    return yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=False, explicit_start=True)
