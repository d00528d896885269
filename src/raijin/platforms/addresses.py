"""Under which addresses the parts of a cluster reach each other."""

from __future__ import annotations

import ipaddress

from raijin.errors import PlanRefused
from raijin.model.names import split_endpoint
from raijin.model.virtual_ip import VipProvider
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.platforms.base import Context, Node

HAPROXY_PORT = 8443
"""Of the API under the virtual address, where haproxy shares the hosts with the API servers."""


def api_endpoint(context: Context) -> str:
    """Host and port under which nodes reach the API servers."""
    port, network = context.cluster.kubernetes.api_server_port, context.cluster.network
    if network.control_plane_endpoint is not None:
        host, given = split_endpoint(str(network.control_plane_endpoint), 0)
        return joined(host, given or virtual_port(context) or port)
    if network.virtual_ip is not None:
        return joined(str(network.virtual_ip.address), virtual_port(context))
    return joined(node_address(context.first), port)


def virtual_port(context: Context) -> int:
    """The TCP port of the API under the virtual address; 0 when there is none."""
    vip = context.cluster.network.virtual_ip
    if vip is None:
        return 0
    shared = vip.provider is VipProvider.KEEPALIVED and not context.beside
    return vip.port or (HAPROXY_PORT if shared else context.cluster.kubernetes.api_server_port)


def joined(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def node_address(node: Node) -> str:
    """The address by which other nodes reach this one: as defined if it is an address, else the host's own first."""
    address = known_address(node)
    if not address:
        raise PlanRefused(
            f"{node.name} has no address that other nodes could use", remedy="give the host's address as an IP address"
        )
    return address


def node_addresses(context: Context, node: Node) -> tuple[str, ...]:
    """Its addresses as a node: the one that others reach it by, then its own of each further IP version of the pods."""
    first = node_address(node)
    have = ipaddress.ip_address(first).version
    further = [network.version for network in context.cluster.network.pod_networks if network.version != have]
    others = [node.facts.address_beside(first, version) for version in further] if node.facts else []
    return (first, *filter(None, others))


def known_address(node: Node) -> str:
    """The same; empty when it cannot be known now, because the host has only a name and does not answer."""
    try:
        return str(ipaddress.ip_address(str(node.host.address)))
    except ValueError:
        return node.facts.address if node.facts else ""


_OF_OURS = 'ip -o addr show to "$0" 2>/dev/null'
RELEASED = f'[ -z "$({_OF_OURS})" ]'
"""Whether no card of the host has the address $0."""
_RELEASE = f'{_OF_OURS} | while read -r _ card _ own _; do ip addr del "$own" dev "$card" || exit 1; done'


def released(context: Context) -> tuple[Operation, ...]:
    """A host whose kube-vip was ended at once keeps the address of the cluster, and would talk to itself by it."""
    vip = context.cluster.network.virtual_ip
    if vip is None or vip.provider is not VipProvider.KUBE_VIP:
        return ()
    address = str(vip.address)
    give = ("sh", "-c", _RELEASE, address)
    return (Command("give the address of the cluster back", give, unless=("sh", "-c", RELEASED, address)),)
