"""config.yaml and registries.yaml, built as data. Sources: docs.k3s.io "k3s server", "k3s agent", "Private registry
configuration"; rancher/rke2 pkg/cli/cmds. A test holds that every key that is written here is one of their options.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from raijin.model.cluster import Cluster
from raijin.model.names import split_endpoint
from raijin.model.rancher import Rancher
from raijin.model.virtual_ip import VipProvider
from raijin.platforms.addresses import api_endpoint, joined, node_address
from raijin.platforms.base import Context, Node
from raijin.platforms.rancher.layout import API_PORT, Distribution

Document = dict[str, Any]
DEFAULT_MASK_SIZE = 24
MEMBERSHIP = frozenset(
    {"server", "token", "token-file", "agent-token", "agent-token-file", "cluster-init", "cluster-reset",
     "cluster-reset-restore-path", "data-dir", "node-name", "datastore-endpoint", "config", "https-listen-port",
     "cluster-cidr", "service-cidr", "cluster-domain", "write-kubeconfig", "private-registry"}
)  # fmt: skip
"""Options by which Raijin holds a cluster together: what of them is a choice has words of its own in the definition."""


def node_options(distribution: Distribution, settings: Rancher, node: Node) -> Document:
    """What servers and agents have alike."""
    options: Document = {
        "node-name": node.name,
        "node-ip": node_address(node),
        "token-file": distribution.token_file,
    }
    if settings.selinux:
        options["selinux"] = True
    return options


def server_options(context: Context, distribution: Distribution, settings: Rancher) -> Document:
    """What all servers must say alike, or they are not let in ("Critical Configuration Values" of docs.k3s.io)."""
    cluster, network = context.cluster, context.cluster.network
    options: Document = {
        "agent-token-file": distribution.agent_token_file,
        "write-kubeconfig-mode": "0600",
        "tls-san": certificate_names(cluster),
        "cluster-cidr": network.pod_cidr,
        "service-cidr": network.service_cidr,
        "cluster-domain": network.dns_domain,
    }
    if network.node_cidr_mask_size != DEFAULT_MASK_SIZE:
        options["kube-controller-manager-arg"] = [mask_size(cluster)]
    if settings.disable:
        options["disable"] = sorted(settings.disable)
    if settings.disable_kube_proxy or network.cni.replaces_kube_proxy:
        options["disable-kube-proxy"] = True
    if settings.disable_cloud_controller:
        options["disable-cloud-controller"] = True
    return options


def certificate_names(cluster: Cluster) -> list[str]:
    """Names in the servers' certificate beside their own, which they know (addresses, 127.0.0.1, localhost)."""
    network = cluster.network
    names = [*map(str, cluster.kubernetes.cert_sans)]
    if network.control_plane_endpoint is not None:
        names.insert(0, split_endpoint(str(network.control_plane_endpoint), 0)[0])
    if network.virtual_ip is not None:
        names.insert(0, str(network.virtual_ip.address))
    return list(dict.fromkeys(names))


def mask_size(cluster: Cluster) -> str:
    dual = len(cluster.network.pod_networks) > 1
    return f"node-cidr-mask-size{'-ipv4' if dual else ''}={cluster.network.node_cidr_mask_size}"


def registration(context: Context, distribution: Distribution) -> str:
    """The address that agents register at: the one of the cluster, where it serves the supervisor's port too.

    Later they know all servers, and go to those that answer.
    """
    cluster = context.cluster
    port = distribution.port(cluster.kubernetes.api_server_port)
    vip = cluster.network.virtual_ip
    if vip is not None and vip.provider is VipProvider.KUBE_VIP:
        return f"https://{joined(str(vip.address), port)}"
    if distribution.supervisor_port:
        return at(context.first, port)
    return f"https://{api_endpoint(context)}"


def at(node: Node, port: int) -> str:
    return f"https://{joined(node_address(node), port)}"


def guard(distribution: Distribution, cluster: Cluster) -> Document:
    """What every server with etcd says once it is a member: that it joins a cluster which is to be found at itself.

    With its database on disk a server ignores this ("the datastore arguments are ignored", docs.k3s.io; errors of it
    too: k3s pkg/cluster/bootstrap.go, shouldBootstrapLoad). Without it (a wiped disk, a lost mount) it finds nobody
    there and stops, where otherwise it would found a second cluster.
    """
    return {"server": f"https://127.0.0.1:{distribution.port(cluster.kubernetes.api_server_port)}"}


def api_port_option(cluster: Cluster) -> Document:
    port = cluster.kubernetes.api_server_port
    return {} if port == API_PORT else {"https-listen-port": port}


def merged(options: Document, added: Mapping[str, Any]) -> Document:
    """The definition's own options over Raijin's; of lists both."""
    result = dict(options)
    for key, value in added.items():
        old = result.get(key)
        if isinstance(old, list):
            result[key] = [*old, *(value if isinstance(value, list) else [value])]
        else:
            result[key] = value
    return result


def faults(added: Mapping[str, Any], known: frozenset[str]) -> Iterable[tuple[str, str]]:
    """Options of the definition that do not exist, or that are Raijin's business."""
    for key in added:
        name = key.removesuffix("+")
        if name in MEMBERSHIP:
            yield key, "Raijin sets this option itself, from other parts of the definition"
        elif name not in known:
            yield key, "there is no such option"


def registries(cluster: Cluster, settings: Rancher) -> Document:
    """registries.yaml without what is secret (see `registry_secret`)."""
    mirrors = cluster.kubernetes.container_runtime.registry_mirrors
    document: Document = {}
    if mirrors:
        document["mirrors"] = {name: {"endpoint": list(hosts)} for name, hosts in sorted(mirrors.items())}
    configs: Document = {}
    for name, access in sorted(settings.registries.items()):
        tls: Document = {}
        if access.ca_file is not None:
            tls["ca_file"] = str(access.ca_file)
        if access.insecure_skip_verify:
            tls["insecure_skip_verify"] = True
        configs[name] = {"tls": tls} if tls else {}
    if configs:
        document["configs"] = configs
    return document


def to_yaml(document: Document) -> str:
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=False)
