"""destroy: the cluster ends, workers first, and every host is put back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from raijin.lifecycle.drafting import drafted
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Json
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.keys import secrets_of
from raijin.platforms.kubeconfig import kubeconfig_secret

Stage = Callable[[Context], Iterable[Draft]]


def leave_workers(context: Context) -> Iterable[Draft]:
    for node in _others(context):
        yield from _leave(context, node, needs=())


def leave_control_planes(context: Context) -> Iterable[Draft]:
    """After the workers, so that they can still say goodbye to an API that answers."""
    workers = tuple(f"leave/{node.name}" for node in _others(context))
    for node in context.control_planes:
        yield from _leave(context, node, needs=workers)


STAGES: tuple[Stage, ...] = (leave_workers, leave_control_planes)


def drafts(context: Context) -> list[Draft]:
    return [draft for stage in STAGES for draft in stage(context)]


def _others(context: Context) -> tuple[Node, ...]:
    return (*context.workers, *context.departed, *context.beside)


def _leave(context: Context, node: Node, needs: tuple[str, ...]) -> Iterable[Draft]:
    cluster, platform = context.cluster.name, platform_of(context.cluster)
    farewell = platform.leave(context, node) if node.facts is not None else None
    if farewell is not None:
        yield drafted(
            "leave",
            node.name,
            "put the host back as it was",
            farewell,
            needs=needs,
            disruption=Disruption.DATA,
            timeout=900,
            estimate=20,
        )
    if node.name in context.members:
        # The way into the cluster is kept until its control plane is gone.
        secrets = platform.secrets(cluster, node)
        if node == context.control_planes[-1]:
            secrets += [kubeconfig_secret(cluster), *platform.cluster_secrets(context.cluster)]
            secrets += secrets_of(context.keys, cluster)
        yield Draft(
            "forget",
            node.name,
            "forget the host and its secrets",
            Call("raijin.forget", {"secrets": cast("Json", secrets)}),
            changes=(Change(f"host {node.name}", "member of", cluster, "absent"),),
            needs=(f"leave/{node.name}",),
            disruption=Disruption.DATA,
            timeout=30,
        )
