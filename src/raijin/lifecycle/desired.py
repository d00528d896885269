"""What a cluster of this definition has: documents, labels, taints."""

from __future__ import annotations

from typing import Any

from raijin.facts.cluster import PART_LABEL, PRUNED_KINDS
from raijin.facts.labels import labels_from
from raijin.model.cluster import Cluster
from raijin.model.names import split_endpoint
from raijin.model.node_group import NodeRole
from raijin.network import CONTAINER_NETWORKS, container_network
from raijin.network.certificates import Certificate
from raijin.network.cni import ContainerNetwork, Wanted
from raijin.platforms import platform_of
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.base import Context, Node
from raijin.platforms.certificates import secret_of
from raijin.transport.document import describe

Document = dict[str, Any]
ROLE_LABEL = "node-role.kubernetes.io"
NETWORK_PART = "network"
_CALICO = "crd.projectcalico.org/"
"""The value of the part's label on what belongs to the container network."""
KUBE_PROXY = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "kube-proxy", "namespace": "kube-system"},
}
_NAMED_ROLES = {
    NodeRole.WORKER: "worker",
    NodeRole.STORAGE: "storage",
    NodeRole.INFRA: "infra",
}


def installed_network(cluster: Cluster) -> ContainerNetwork | None:
    """The container network that Raijin installs; None when the platform brings it along, or a person does."""
    network = container_network(cluster)
    return network if network is not None and network.name not in platform_of(cluster).networks else None


def wanted_network(context: Context) -> Wanted:
    """The container network's view of the cluster."""
    if not context.cluster.network.cni.replaces_kube_proxy:
        return Wanted(context.cluster, context.tags)
    port = context.cluster.kubernetes.api_server_port
    return Wanted(context.cluster, context.tags, split_endpoint(api_endpoint(context), port))


def desired_documents(context: Context) -> list[Document]:
    """The documents that Raijin applies to the cluster: the platform's own, then the container network."""
    documents = platform_of(context.cluster).documents(context)
    network = installed_network(context.cluster)
    if network is not None:
        documents += [_of_the_network(document) for document in network.documents(wanted_network(context))]
    return documents


def observed_documents(context: Context) -> list[Document]:
    """What is looked at in the cluster: what is desired, and what tells which networks run there already."""
    telling = [KUBE_PROXY, *(network.workloads(context.cluster)[0] for network in CONTAINER_NETWORKS)]
    secrets = [secret_of(one.namespace, one.secret) for one in desired_certificates(context)]
    documents = {describe(document): document for document in (*telling, *secrets, *desired_documents(context))}
    return list(documents.values())


def desired_certificates(context: Context) -> tuple[Certificate, ...]:
    network = installed_network(context.cluster)
    return network.certificates(context.cluster) if network is not None else ()


def _of_the_network(document: Document) -> Document:
    """With the label by which what is no longer wanted is found.

    Calico keeps the labels of its own resources in an annotation, and drops them when it writes one: so it does with
    the settings of its agents at their first start (seen with v3.28.5). Only kinds of it that are pruned have one.
    """
    kind = (str(document["apiVersion"]), str(document["kind"]))
    if kind[0].startswith(_CALICO) and kind not in PRUNED_KINDS:
        return document
    metadata = document["metadata"]
    labels = {**metadata.get("labels", {}), PART_LABEL: NETWORK_PART}
    return {**document, "metadata": {**metadata, "labels": labels}}


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
