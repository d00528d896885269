"""Under which addresses the parts of a cluster reach each other."""

from __future__ import annotations

import ipaddress

from raijin.errors import PlanRefused
from raijin.platforms.base import Context, Node


def api_endpoint(context: Context) -> str:
    """Host and port under which nodes reach the API server."""
    port = context.cluster.kubernetes.api_server_port
    given = context.cluster.network.control_plane_endpoint
    if given is None:
        address = node_address(context.first)
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    text = str(given)
    has_port = text.rpartition(":")[2].isdigit() and (text.count(":") == 1 or text.startswith("["))
    return text if has_port else f"{text}:{port}"


def node_address(node: Node) -> str:
    """The address by which other nodes reach this one: as defined if it is an address, else the host's own first."""
    try:
        return str(ipaddress.ip_address(str(node.host.address)))
    except ValueError:
        pass
    address = node.facts.address if node.facts else ""
    if not address:
        raise PlanRefused(
            f"{node.name} has no address that other nodes could use", remedy="give the host's address as an IP address"
        )
    return address
