"""Address plans: pods, services, hosts and networks of the site must not overlap, and pods need room for every node."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from raijin.definition.checks.base import Documents, Finding, Read
from raijin.definition.problems import shown
from raijin.model.cidr import IpNetwork
from raijin.model.cluster import Cluster
from raijin.model.names import parse_ip
from raijin.model.node_group import NO_NODES

_V6_NODE_PREFIX = 64


def overlaps(documents: Documents) -> Iterator[Finding]:
    """Networks of a cluster against each other, against site networks and against host addresses."""
    sites = [
        (f"network {network.name} of site {site.model.name}", ip_network(network.cidr))
        for site in documents.sites
        for network in site.model.networks
    ]
    hosts = [(host.name, parse_ip(host.address)) for host in documents.hosts.values()]
    for cluster in documents.clusters:
        network = cluster.model.network
        if _meet(network.pod_networks, network.service_networks):
            message = f"overlaps podCidr {network.pod_cidr}"
            yield _finding(cluster, "serviceCidr", message)
        for key, own in (("podCidr", network.pod_networks), ("serviceCidr", network.service_networks)):
            for what, other in sites:
                if _meet(own, (other,)):
                    yield _finding(cluster, key, f"overlaps the {what}, {other}")
            inside = [f"{name} ({ip})" for name, ip in hosts if ip and any(_holds(net, ip) for net in own)]
            if inside:
                more = f" and {len(inside) - 1} more" if len(inside) > 1 else ""
                yield _finding(cluster, key, f"holds the address of host {inside[0]}{more}")


def pod_room(documents: Documents) -> Iterator[Finding]:
    """Each node takes a piece of podCidr; there must be one for every node."""
    for cluster in documents.clusters:
        network = cluster.model.network
        nodes = sum(group.size for group in cluster.model.node_groups if group.role not in NO_NODES)
        for own in network.pod_networks:
            piece = network.node_cidr_mask_size if own.version == 4 else _V6_NODE_PREFIX
            if own.prefixlen > piece:
                message = f"{own} is smaller than the /{piece} that each node takes"
                yield _finding(cluster, "podCidr", message, f"use a /{piece - 8} or larger")
            elif 2 ** (piece - own.prefixlen) < nodes:
                room = 2 ** (piece - own.prefixlen)
                message = f"{own} has room for {room} nodes of /{piece} each, and the cluster has {nodes}"
                wanted = piece - (nodes - 1).bit_length()
                yield _finding(cluster, "podCidr", message, f"use a /{wanted} or larger")


def _meet(ones: tuple[IpNetwork, ...], others: tuple[IpNetwork, ...]) -> bool:
    return any(one.version == other.version and one.overlaps(other) for one in ones for other in others)


def _holds(network: IpNetwork, ip: object) -> bool:
    return ip in network


def _finding(
    cluster: Read[Cluster], key: str, message: str, remedy: str = "choose addresses that nothing else uses"
) -> Finding:
    network = cluster.model.network
    value = shown(network.pod_cidr if key == "podCidr" else network.service_cidr)
    return Finding(cluster.tree, ("network", key), message, remedy, value)
