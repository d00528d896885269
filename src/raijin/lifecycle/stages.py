"""What the stages of several verbs share."""

from __future__ import annotations

from raijin.facts.cluster import NodeState
from raijin.lifecycle.removal import emptied
from raijin.plan.model import Call, Json
from raijin.platforms import platform_of
from raijin.platforms.access import access_to
from raijin.platforms.base import Context, Node


def call(context: Context, name: str, arguments: dict[str, Json]) -> Call:
    """A call that goes to the cluster's API by way of its control plane hosts."""
    return Call(name, {**access_to(context, platform_of(context.cluster).kubeconfig), **arguments})


def live_node(context: Context, node: Node) -> NodeState | None:
    """The node as it is, unless it is one that goes before its host joins anew."""
    return context.state.nodes.get(node.name) if context.state and not emptied(context, node) else None
