"""What stands behind the load balancer of an OKD cluster, beside the API: machine configurations, and the ingress.

Source: "Load balancing requirements for user-provisioned infrastructure" of the OKD documentation: 6443 and 22623 of
the bootstrap and control plane machines (the bootstrap is taken out when the control plane stands), 443 and 80 of those
that run the ingress: workers, or the control plane machines where there are none.
"""

from __future__ import annotations

from raijin.model.node_group import NodeRole
from raijin.platforms.addresses import joined, known_address
from raijin.platforms.base import Balanced, Context, Node
from raijin.platforms.okd.look import CONFIG_SERVER


def services(context: Context, *, starting: bool) -> tuple[Balanced, ...]:
    """starting: the bootstrap machine still has its part."""
    planes = (*context.bootstrap, *context.control_planes) if starting else context.control_planes
    routers = tuple(node for node in context.nodes if node.role in {NodeRole.WORKER, NodeRole.INFRA})
    ingress = routers or context.control_planes
    return (
        Balanced("machine-config", CONFIG_SERVER, _servers(planes, CONFIG_SERVER)),
        Balanced("ingress-https", 443, _servers(ingress, 443), sticky=True),
        Balanced("ingress-http", 80, _servers(ingress, 80), sticky=True),
    )


def _servers(nodes: tuple[Node, ...], port: int) -> tuple[tuple[str, str], ...]:
    return tuple((node.name, joined(known_address(node), port)) for node in nodes if known_address(node))
