"""What the stages of several verbs share."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.facts.cluster import NodeState
from raijin.lifecycle.removal import emptied
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Json
from raijin.platforms import platform_of
from raijin.platforms.access import access_to
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import arguments

ANSWER_SECONDS = 300.0


def call(context: Context, name: str, arguments: dict[str, Json]) -> Call:
    """A call that goes to the cluster's API by way of its control plane hosts."""
    return Call(name, {**access_to(context, platform_of(context.cluster).kubeconfig), **arguments})


def live_node(context: Context, node: Node) -> NodeState | None:
    """The node as it is, unless it is one that goes before its host joins anew."""
    return context.state.nodes.get(node.name) if context.state and not emptied(context, node) else None


def joined(context: Context, nodes: Iterable[Node]) -> list[Node]:
    """Those that can be reached and are members."""
    return [node for node in nodes if node.facts is not None and node.joined]


def settle(context: Context, node: Node, stage: str, needs: tuple[str, ...]) -> Draft:
    """Wait until one control plane host serves again, before the next one is touched: its API, and its vote in etcd."""
    access = platform_of(context.cluster).etcd(context.cluster)
    if access is not None and len(context.control_planes) > 1:
        title, seconds = "wait until its etcd member votes", access.seconds
        wait = Call(f"{access.calls}.wait-member", arguments(context, node, access))
    else:
        title, seconds = "wait until its control plane answers", ANSWER_SECONDS
        wait = call(context, "kube.wait-api", {})
    return Draft(stage, node.name, title, wait, needs=needs, follows=True, timeout=seconds, estimate=5)


def let_in(node: Node, admission: Call, needs: tuple[str, ...], *, changes: tuple[Change, ...] = ()) -> Draft:
    """New credentials for the agent of a node, before what it takes them up with; `let_go` follows.

    Without changes it is done only ahead of something else that is.
    """
    return Draft(
        "readmit",
        node.name,
        "make new credentials for its agent",
        admission,
        needs=needs,
        changes=changes,
        ahead=not changes,
        timeout=120,
        renewed=True,
    )


def let_go(node: Node, farewell: Call, after: str) -> Draft:
    """Nobody keeps them when the step `after` is over, however it ended."""
    title, needs = "forget the new credentials", (f"readmit/{node.name}", f"{after}/{node.name}")
    return Draft("discard", node.name, title, farewell, needs=needs, follows=True, cleanup=True, timeout=30)
