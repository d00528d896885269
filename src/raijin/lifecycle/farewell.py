"""A host leaves: it is put back as it was, and forgotten. What `apply`, `destroy` and `reset` do with each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from raijin.lifecycle.drafting import drafted
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Json
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.platforms.keys import secrets_of
from raijin.platforms.kubeconfig import kubeconfig_secret


def put_back(context: Context, node: Node, needs: tuple[str, ...], disruption: Disruption) -> Iterable[Draft]:
    """Nothing for a host that cannot be reached."""
    farewell = platform_of(context.cluster).leave(context, node) if node.facts is not None else None
    if farewell is not None:
        yield drafted(
            "leave",
            node.name,
            "put the host back as it was",
            farewell,
            needs=needs,
            disruption=disruption,
            timeout=900,
            estimate=20,
        )


def forget(
    context: Context,
    node: Node,
    title: str,
    needs: tuple[str, ...],
    disruption: Disruption,
    *,
    more: Sequence[str] = (),
) -> Draft:
    """more: names of secrets that go beside those of the host."""
    cluster = context.cluster.name
    secrets = [*platform_of(context.cluster).secrets(cluster, node), *more]
    return Draft(
        "forget",
        node.name,
        title,
        Call("raijin.forget", {"secrets": cast("Json", secrets)}),
        changes=(Change(f"host {node.name}", "member of", cluster, "absent"),),
        needs=needs,
        disruption=disruption,
        timeout=30,
    )


def secrets_of_all(context: Context) -> list[str]:
    """The names of the secrets that belong to no single host: they go with the last one."""
    cluster = context.cluster
    own = platform_of(cluster).cluster_secrets(cluster)
    return [kubeconfig_secret(cluster.name), *own, *secrets_of(context.keys, cluster.name)]
