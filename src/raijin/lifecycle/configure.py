"""Settings of Kubernetes that have changed, brought to nodes that run: one control plane host after the other, then
the workers side by side. A setting that keeps the first one from coming back reaches no second one."""

from __future__ import annotations

from collections.abc import Iterable

from raijin.lifecycle.drafting import drafted
from raijin.lifecycle.stages import joined, settle
from raijin.lifecycle.upgrade import is_outdated
from raijin.plan.draft import Draft
from raijin.plan.model import Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node


def configure_nodes(context: Context) -> Iterable[Draft]:
    planes = joined(context, context.control_planes)
    planes.sort(key=lambda node: node.name != context.first.name)
    hops = tuple(f"{stage}@{hop.version}/*" for hop in context.hops for stage in ("settle", "current", "return"))
    before = ("keys/*", "endpoint/*", "renewed/*", "settle/*", *hops)
    for node in planes:
        yield from _configure(context, node, before, alone=len(context.control_planes) == 1)
        yield settle(context, node, "follow", (f"configure/{node.name}",))
        before = (f"configure/{node.name}", f"follow/{node.name}")
    for node in joined(context, context.workers):
        yield from _configure(context, node, before, alone=False)


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
