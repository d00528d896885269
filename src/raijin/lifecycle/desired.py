"""What a cluster of this definition has: documents, labels, taints; and how one node of it is taken away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from raijin.facts.labels import labels_from
from raijin.model.node_group import NodeRole
from raijin.network import container_network
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption, Json
from raijin.platforms import platform_of
from raijin.platforms.access import access_to
from raijin.platforms.base import Context, Node

Document = dict[str, Any]
ROLE_LABEL = "node-role.kubernetes.io"
_NAMED_ROLES = {
    NodeRole.WORKER: "worker",
    NodeRole.STORAGE: "storage",
    NodeRole.INFRA: "infra",
}


def desired_documents(context: Context) -> list[Document]:
    """The documents that Raijin applies to the cluster: the platform's own, then the container network."""
    platform = platform_of(context.cluster)
    network = container_network(context.cluster)
    documents = platform.documents(context)
    if network is not None and network.name not in platform.networks:
        documents += network.documents(context.cluster, context.tags)
    return documents


def desired_labels(context: Context, node: Node) -> dict[str, str]:
    """From hardware, role and definition; what the definition says wins."""
    del context
    labels = labels_from(node.facts.facts) if node.facts else {}
    role = _NAMED_ROLES.get(node.role)
    if role:
        labels[f"{ROLE_LABEL}/{role}"] = ""
    return {**labels, **node.host.labels}


def desired_taints(context: Context, node: Node) -> list[dict[str, str]]:
    del context
    return [
        {"key": t.key, "effect": t.effect.value} | ({"value": t.value} if t.value else {}) for t in node.host.taints
    ]


def removal_of(context: Context, node: Node) -> Iterable[Draft]:
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
            needs=("ready/*",),
            disruption=Disruption.DRAIN,
            timeout=context.cluster.policy.drain_timeout.total_seconds(),
            estimate=30,
        )
    if live is not None:
        yield Draft(
            "delete-node",
            node.name,
            "delete the node object",
            Call("kube.delete-node", access),
            changes=(Change(f"node {node.name}", "state", "member", "absent"),),
            needs=(f"drain/{node.name}",),
            disruption=Disruption.REMOVAL,
            timeout=60,
        )
    if node.facts is not None:
        yield Draft(
            "leave",
            node.name,
            "put the host back as it was",
            platform.leave(context),
            needs=(f"delete-node/{node.name}",),
            disruption=Disruption.REMOVAL,
            timeout=900,
            estimate=20,
        )
    yield Draft(
        "forget",
        node.name,
        "forget the host",
        Call("raijin.forget", {"secrets": cast("Json", platform.secrets(context.cluster.name, node))}),
        changes=(Change(f"host {node.name}", "member of", context.cluster.name, "absent"),),
        needs=(f"leave/{node.name}", f"delete-node/{node.name}"),
        disruption=Disruption.REMOVAL,
        timeout=30,
    )
