"""What a cluster of this definition has: documents, labels, taints."""

from __future__ import annotations

from typing import Any

from raijin.facts.labels import labels_from
from raijin.model.node_group import NodeRole
from raijin.network import container_network
from raijin.platforms import platform_of
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
