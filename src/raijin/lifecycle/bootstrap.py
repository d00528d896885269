"""Clusters that a machine of its own starts, which has no part in them later, and that make the rest of themselves.

unbalance  the load balancer forgets the bootstrap machine, as soon as the control plane stands
release    the bootstrap machine is free again
complete   what the cluster makes of itself, when its nodes are there
"""

from __future__ import annotations

from collections.abc import Iterable

from raijin.lifecycle.drafting import drafted
from raijin.plan.draft import Draft
from raijin.plan.model import Change
from raijin.platforms import platform_of
from raijin.platforms.base import Context

COMPLETE_SECONDS = 3600
RELEASE_SECONDS = 300


def release_bootstrap(context: Context) -> Iterable[Draft]:
    first = context.first.name
    for node in context.bootstrap:
        call = platform_of(context.cluster).release_bootstrap(context, node)
        if call is not None:
            yield Draft(
                "release",
                node.name,
                "let the bootstrap machine go",
                call,
                needs=(f"start/{first}", "unbalance/*", f"kubeconfig/{first}"),
                changes=(Change(f"machine {node.name}", "role", "bootstrap", "none"),),
                timeout=RELEASE_SECONDS,
            )


def complete_cluster(context: Context) -> Iterable[Draft]:
    action = platform_of(context.cluster).complete(context)
    if action is not None:
        yield drafted(
            "complete",
            context.cluster.name,
            "wait until the cluster has made the rest of itself",
            action,
            needs=("start/*", "join/*", "settle/*", "unbalance/*", f"network/{context.cluster.name}"),
            timeout=COMPLETE_SECONDS,
            estimate=1800,
        )
