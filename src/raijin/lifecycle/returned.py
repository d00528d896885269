"""Hosts that come back with the control plane of yesterday: taken out while they were away, or missed by a restoration.

The etcd member on such a host has no part in the cluster any more, and never will have. The host is put back as it was,
and joins as a new one; joined over what is left there, it would serve an API of the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from raijin.lifecycle.drafting import drafted
from raijin.operations.program import Program
from raijin.plan.draft import Draft
from raijin.plan.model import Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node, Parts
from raijin.platforms.etcd import member_at

STAGE = "wipe"


def as_empty(context: Context) -> Context:
    """The context with these hosts taken for what they will be when they have been wiped."""
    nodes = tuple(emptied(node) if _returned(context, node) else node for node in context.nodes)
    return replace(context, nodes=nodes)


def wiped_first(context: Context, drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts, with the wiping before everything that is done to these hosts."""
    stale = {node.name for node in context.nodes if node.parts.stale}
    return [*_wipe(context), *after(drafts, STAGE, stale)] if stale else list(drafts)


def after(
    drafts: Iterable[Draft], stage: str, hosts: Iterable[str], *, forced: Iterable[str] | None = None
) -> list[Draft]:
    """Drafts that come after something that changes what their programs find on their hosts.

    Those of `hosts` wait for `stage` there, and their programs are kept whatever the check says now. forced: only those
    of these stages are; None: all.
    """
    names, stages = frozenset(hosts), None if forced is None else frozenset(forced)

    def adapted(draft: Draft) -> Draft:
        if draft.target not in names or draft.cleanup:
            return draft
        rebuilt = isinstance(draft.action, Program) and (stages is None or draft.stage in stages)
        return replace(draft, needs=(*draft.needs, f"{stage}/{draft.target}"), forced=draft.forced or rebuilt)

    return [adapted(draft) for draft in drafts]


def _wipe(context: Context) -> Iterable[Draft]:
    for node in context.nodes:
        farewell = platform_of(context.cluster).leave(context, node) if node.parts.stale else None
        if farewell is not None:
            yield drafted(
                STAGE,
                node.name,
                "put the host back as it was",
                farewell,
                changes=(Change(f"control plane of {node.name}", "state", "no longer part of the cluster", "absent"),),
                disruption=Disruption.DATA,
                timeout=900,
                estimate=20,
                forced=True,
            )


def _returned(context: Context, node: Node) -> bool:
    # A host that is about to join is a member before it has data.
    if context.etcd is None or not node.control_plane or not node.parts.data:
        return False
    return member_at(context, node) is None and node.name not in {member.name for member in context.etcd.members}


def emptied(node: Node) -> Node:
    """The host as it will be when it has been put back as it was."""
    return replace(node, parts=Parts(owner=node.parts.owner, stale=True))
