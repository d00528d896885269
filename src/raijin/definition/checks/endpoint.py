"""The one address of the API servers: free, reachable, and carried by something that can."""

from __future__ import annotations

from collections.abc import Iterator

from raijin.definition.checks.base import Documents, Finding, Read
from raijin.model.cluster import Cluster
from raijin.model.names import parse_ip, split_endpoint
from raijin.model.node_group import NodeRole
from raijin.model.virtual_ip import VipMode, VipProvider, VirtualIp

_AT = ("network", "virtualIp")


def virtual_ips(documents: Documents) -> Iterator[Finding]:
    """Nothing else has the address, and what carries it fits together."""
    for cluster in documents.clusters:
        vip = cluster.model.network.virtual_ip
        if vip is not None:
            yield from _address(documents, cluster, vip)
            yield from _carrier(cluster, vip)


def _address(documents: Documents, cluster: Read[Cluster], vip: VirtualIp) -> Iterator[Finding]:
    address, network = parse_ip(vip.address), cluster.model.network
    at, shown = (*_AT, "address"), str(vip.address)
    owner = next((host.name for host in documents.hosts.values() if parse_ip(host.address) == address), None)
    if owner:
        yield Finding(cluster.tree, at, f"is the address of host {owner}", "choose one that no machine has", shown)
    for key, own in (("podCidr", network.pod_networks), ("serviceCidr", network.service_networks)):
        if any(address in net for net in own):
            yield Finding(cluster.tree, at, f"lies in {key}", "choose one of the network of the hosts", shown)
    for other in documents.clusters:
        same = other.model.network.virtual_ip
        if (
            other is not cluster
            and same
            and parse_ip(same.address) == address
            and other.model.name > cluster.model.name
        ):
            message = f"is also that of cluster {other.model.name}"
            yield Finding(cluster.tree, at, message, "give each cluster an address of its own", shown)
    if network.control_plane_endpoint:
        named, port = split_endpoint(str(network.control_plane_endpoint), 0)
        if parse_ip(named) not in {None, address}:
            message = f"is not the address in controlPlaneEndpoint, {named}"
            yield Finding(cluster.tree, at, message, "make them equal, or leave controlPlaneEndpoint out", shown)
        if vip.port and port and vip.port != port:
            message = f"is not the port in controlPlaneEndpoint, {port}"
            yield Finding(cluster.tree, (*_AT, "port"), message, "make them equal", str(vip.port))


def _carrier(cluster: Read[Cluster], vip: VirtualIp) -> Iterator[Finding]:
    beside = [group for group in cluster.model.node_groups if group.role is NodeRole.BASTION and group.size]
    api_port = cluster.model.kubernetes.api_server_port
    if vip.provider is VipProvider.KEEPALIVED:
        if vip.mode is VipMode.BGP:
            yield Finding(
                cluster.tree, (*_AT, "mode"), "is not done by KEEPALIVED", "use KUBE_VIP, or mode: ARP", "BGP"
            )
        if not beside and vip.port == api_port:
            message = "is the port of the API servers, which listen on the same hosts"
            yield Finding(cluster.tree, (*_AT, "port"), message, "choose another, such as 8443", str(vip.port))
        return
    if vip.port not in {None, api_port}:
        message = f"differs from the port of the API servers, {api_port}, and KUBE_VIP moves the address only"
        yield Finding(cluster.tree, (*_AT, "port"), message, "leave it out, or use KEEPALIVED", str(vip.port))
    if vip.mode is VipMode.BGP and vip.bgp is None:
        yield Finding(cluster.tree, (*_AT, "bgp"), "is missing, and the mode is BGP", "give `asn` and `peers`")
