"""Settings of Kubernetes that have changed, brought to nodes that run: one control plane host after the other, then
the workers side by side. A setting that keeps the first one from coming back reaches no second one.

Who joins takes the settings that the cluster has, and comes by its address: so the members follow first, which also
puts a new address into their certificates. Not where that would be no good time to start one of them anew: while an
upgrade is on its way, or while etcd has nobody to spare until somebody has joined.
"""

from __future__ import annotations

from collections.abc import Iterable

from raijin.facts.etcd import EtcdAccess
from raijin.lifecycle.drafting import drafted
from raijin.lifecycle.removal import lost
from raijin.lifecycle.stages import joined, settle
from raijin.lifecycle.upgrade import is_outdated
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.etcd import arguments


def configure_nodes(context: Context) -> Iterable[Draft]:
    planes = joined(context, context.control_planes)
    planes.sort(key=lambda node: node.name != context.first.name)
    size = len(planes) if settings_first(context) else len(context.control_planes)
    before = ("keys/*", "renewed/*", *_later(context))
    for node in planes:
        if size > 1:
            yield from _spare(context, node, before)
        yield from _configure(context, node, (f"spare/{node.name}", *before), alone=size == 1)
        yield settle(context, node, "follow", (f"configure/{node.name}",))
        before = (f"configure/{node.name}", f"follow/{node.name}")
    for node in joined(context, context.workers):
        yield from _configure(context, node, before, alone=False)


def settings_first(context: Context) -> tuple[str, ...]:
    """What those who join wait for, so that they take the settings of the definition; nothing where they go first."""
    planes = joined(context, context.control_planes)
    if context.hops or lost(context) or len(planes) == 2:  # of two members neither can be spared
        return ()
    return tuple(f"{stage}/{node.name}" for node in planes for stage in ("configure", "follow"))


def _later(context: Context) -> tuple[str, ...]:
    """What the settings wait for."""
    if settings_first(context):
        beside = [node for node in context.beside if node.facts is not None]
        return tuple(f"endpoint/{node.name}" for node in (*joined(context, context.nodes), *beside))
    hops = tuple(f"{stage}@{hop.version}/*" for hop in context.hops for stage in ("settle", "current", "return"))
    return ("endpoint/*", "settle/*", *hops)


def _spare(context: Context, node: Node, before: tuple[str, ...]) -> Iterable[Draft]:
    """A change of settings starts a server anew: not while etcd could not do without it."""
    access = platform_of(context.cluster).etcd(context.cluster)
    if isinstance(access, EtcdAccess):
        yield Draft(
            "spare",
            node.name,
            "see that the others can do without it",
            Call("etcd.may-stop", arguments(context, node, access)),
            needs=before,
            ahead=True,
            timeout=120,
        )


def _configure(context: Context, node: Node, before: tuple[str, ...], *, alone: bool) -> Iterable[Draft]:
    action = platform_of(context.cluster).configure(context, node, outdated=is_outdated(context, node))
    if action is not None:
        yield drafted(
            "configure",
            node.name,
            "follow the settings",
            action,
            needs=(*before, f"services/{node.name}"),
            disruption=Disruption.API if alone else Disruption.RESTART,
            timeout=1200,
            estimate=30,
        )
