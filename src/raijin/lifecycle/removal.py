"""How hosts leave a running cluster:

workers side by side, control plane hosts one after the other, the dead at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from raijin.lifecycle.farewell import forget, put_back
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.access import access_to
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import arguments, leftover, member_at


def remove_lost_members(context: Context) -> Iterable[Draft]:
    """etcd members that nobody will ever run again: of dead hosts that leave, and of hosts that were emptied.

    They count for the majority as long as they are listed, so they go before anybody joins; and so does the node object
    that an emptied host had, because a new node of its name would be taken for it.
    """
    for node in lost(context):
        yield from leave_etcd(context, node)
    for node in context.nodes:
        if emptied(context, node):
            yield delete_node(context, node, (f"leave-etcd/{node.name}",))


def lost(context: Context) -> list[Node]:
    """Control plane hosts whose etcd member nobody will ever run again."""
    dead = [node for node in context.departed if node.control_plane and node.facts is None]
    return [*dead, *(node for node in context.control_planes if leftover(context, node) is not None)]


def emptied(context: Context, node: Node) -> bool:
    """The cluster still has its node, and the host knows nothing of that: its system was installed anew."""
    known = context.state is not None and node.name in context.state.nodes
    return known and node.facts is not None and not node.parts.begun and not node.joined


def remove_departed(context: Context) -> Iterable[Draft]:
    """Nodes that are no longer in the definition: drained, deleted, and the host put back as it was."""
    before: tuple[str, ...] = ()
    for node in context.departed:
        if not node.control_plane:
            yield from _removal(context, node, ())
            continue
        if node.facts is not None:
            needs = (f"drain/{node.name}", "ready/*", "settle/*", "renewed/*", *before)
            yield from leave_etcd(context, node, needs=needs)
        yield from _removal(context, node, before)
        before = (f"forget/{node.name}",)


def leave_etcd(context: Context, node: Node, needs: tuple[str, ...] = ()) -> Iterable[Draft]:
    """Its member goes, if it has one."""
    access = platform_of(context.cluster).etcd(context.cluster)
    member = member_at(context, node)
    if access is None or member is None:
        return
    yield Draft(
        "leave-etcd",
        node.name,
        "take its member out of etcd",
        Call(f"{access.calls}.remove-member", arguments(context, node, access)),
        changes=(Change(f"etcd member {member.name or member.id}", "state", "member", "absent"),),
        needs=needs,
        disruption=Disruption.REMOVAL,
        timeout=120,
    )


def delete_node(context: Context, node: Node, needs: tuple[str, ...]) -> Draft:
    """Its node object goes."""
    return Draft(
        "delete-node",
        node.name,
        "delete the node object",
        Call("kube.delete-node", access_to(context, platform_of(context.cluster).kubeconfig)),
        changes=(Change(f"node {node.name}", "state", "member", "absent"),),
        needs=needs,
        disruption=Disruption.REMOVAL,
        timeout=60,
    )


def _removal(context: Context, node: Node, before: tuple[str, ...]) -> Iterable[Draft]:
    """Drain, delete the node object, put the host back, forget it. A dead host is only deleted and forgotten."""
    platform = platform_of(context.cluster)
    access = access_to(context, platform.kubeconfig)
    live = context.state.nodes.get(node.name) if context.state else None
    # The pods of a dead host cannot be moved: they end when its node object is gone. The API calls a node Ready for
    # another 40 s after its death, so the host itself is believed first; of a stranger only the API can tell.
    alive = node.facts is not None or (node.name not in context.members and live is not None and live.ready)
    if live is not None and alive and context.drain:
        yield Draft(
            "drain",
            node.name,
            "move the pods away",
            Call("kube.drain", {**access, "force": context.force}),
            changes=(Change(f"node {node.name}", "pods", "running", "moved to other nodes"),),
            needs=("ready/*", *before),
            disruption=Disruption.DRAIN,
            timeout=context.cluster.policy.drain_timeout.total_seconds(),
            estimate=30,
        )
    if live is not None:
        yield delete_node(context, node, (f"drain/{node.name}", f"leave-etcd/{node.name}"))
    out = (f"delete-node/{node.name}", f"leave-etcd/{node.name}")
    yield from put_back(context, node, (*out, *before), Disruption.REMOVAL)
    yield forget(context, node, "forget the host", (f"leave/{node.name}", *out), Disruption.REMOVAL)
