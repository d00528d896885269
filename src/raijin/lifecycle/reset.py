"""reset: hosts are put back as they were, also when the cluster they belong to is broken.

Where the cluster goes on without them, their etcd members leave first, and their nodes go; where it does not answer,
only the hosts are looked at. What would cost a cluster that lives its majority is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

from raijin.lifecycle.farewell import forget, put_back, secrets_of_all
from raijin.lifecycle.removal import delete_node, leave_etcd
from raijin.plan.draft import Draft
from raijin.plan.model import Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import after_removal, member_at, removal_fault


def drafts(context: Context) -> list[Draft]:
    """Workers side by side, then control plane hosts one after the other."""
    whole, found = ends(context), list[Draft]()
    before: tuple[str, ...] = ()
    nodes = chosen(context)
    workers = tuple(f"leave/{node.name}" for node in nodes if not node.control_plane)
    for node in sorted(nodes, key=lambda node: node.control_plane):
        needs = (*workers, *before) if node.control_plane else ()
        if not whole:
            if node.control_plane:
                found += leave_etcd(context, node, needs)
            if context.state is not None and node.name in context.state.nodes:
                found.append(delete_node(context, node, (f"leave-etcd/{node.name}", *needs)))
        found += _put_back(context, node, needs, whole=whole)
        if node.control_plane:
            before = (f"leave/{node.name}", f"leave-etcd/{node.name}")
    return found


def _put_back(context: Context, node: Node, needs: tuple[str, ...], *, whole: bool) -> Iterable[Draft]:
    out = (f"delete-node/{node.name}", f"leave-etcd/{node.name}", *needs)
    yield from put_back(context, node, out, Disruption.DATA)
    if node.name in context.members:
        last = whole and node == chosen(context)[-1]
        gone = (f"leave/{node.name}", f"delete-node/{node.name}")
        more = secrets_of_all(context) if last else ()
        yield forget(context, node, "forget the host and its secrets", gone, Disruption.REMOVAL, more=more)


def chosen(context: Context) -> list[Node]:
    """The hosts that were named; all of them when none was."""
    everybody = (*context.nodes, *context.beside, *context.departed)
    return [node for node in everybody if not context.chosen or node.name in context.chosen]


def ends(context: Context) -> bool:
    """Whether no control plane host is left that could go on."""
    named = {node.name for node in chosen(context)}
    return all(n.name in named for n in (*context.nodes, *context.departed) if n.control_plane)


def reasons(context: Context, api_failure: str = "") -> list[str]:
    """With --force, hosts that cannot be reached are only forgotten, and nobody asks what becomes of the cluster."""
    del api_failure
    strange = [
        f"{node.name}: {node.parts.foreign} is there, and Raijin did not install it: adopt the cluster first"
        for node in chosen(context)
        if node.parts.foreign and not node.parts.owner and node.name not in context.members
    ]
    if strange or context.force:
        return strange
    found = [
        f"{node.name}: it cannot be reached ({node.absence}); with --force it is only forgotten, and keeps what it has"
        for node in chosen(context)
        if node.facts is None
    ]
    return found if ends(context) else [*found, *_majority(context)]


def _majority(context: Context) -> Iterable[str]:
    platform = platform_of(context.cluster)
    planes = [node for node in chosen(context) if node.control_plane and (node.parts.data or node.parts.started)]
    if not planes or platform.etcd(context.cluster) is None:
        return
    state = context.etcd
    if state is None:
        names = ", ".join(node.name for node in planes)
        yield (
            f"{names}: etcd does not answer, so nobody can tell whether the cluster goes on without: restore it, reset "
            "all its control plane hosts, or use --force"
        )
        return
    for node in planes:
        member = member_at(context, node)
        if member is None:
            continue
        fault = removal_fault(state, member)
        if fault:
            yield f"{node.name}: its etcd member cannot leave: {fault} (--force resets it all the same)"
            return
        state = after_removal(state, member)
