"""container-network, system-workloads, pod-health and cluster-operators: what runs in the cluster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from raijin.transport.document import Document, describe
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen

NETWORK, SYSTEM, PODS, OPERATORS = "container-network", "system-workloads", "pod-health", "cluster-operators"
_PATIENCE = 120.0
"""Seconds that a pod may take to start, before somebody should know."""
_SYSTEM = ("kube-", "openshift", "calico-", "cilium", "tigera-", "cattle-")


def is_system(namespace: str) -> bool:
    """Whether what runs there belongs to the cluster itself."""
    return namespace.startswith(_SYSTEM)


def container_network(seen: Seen) -> Iterable[Finding]:
    blind = unseen(NETWORK, seen, Part.WORKLOADS)
    if blind is not None:
        yield blind
        return
    known = {describe(item): item for item in seen.items(Part.WORKLOADS)}
    for wanted in seen.subject.network:
        name = describe(wanted)
        if name in known:
            yield _available(NETWORK, known[name])
        else:
            yield Finding(NETWORK, name, Grade.FAILED, "it is not there", "run `raijin apply`")
    if not seen.subject.network:
        yield Finding(NETWORK, seen.subject.cluster, Grade.OK, "it is not Raijin's; see node-readiness")


def system_workloads(seen: Seen) -> Iterable[Finding]:
    blind = unseen(SYSTEM, seen, Part.WORKLOADS)
    if blind is not None:
        yield blind
        return
    for item in seen.items(Part.WORKLOADS):
        if is_system(item["metadata"].get("namespace", "")):
            yield _available(SYSTEM, item)


def counts(item: Document) -> tuple[int, int]:
    """(how many of a workload are available, how many there should be)"""
    status, spec = item.get("status", {}), item.get("spec", {})
    if "desiredNumberScheduled" in status:
        return int(status.get("numberAvailable", 0)), int(status["desiredNumberScheduled"])
    replicas = spec.get("replicas")
    return int(status.get("availableReplicas", 0)), 1 if replicas is None else int(replicas)


def _available(check: str, item: Document) -> Finding:
    have, want = counts(item)
    if have < want:
        remedy = f"`kubectl -n {item['metadata'].get('namespace')} describe {str(item.get('kind')).lower()} "
        remedy += f"{item['metadata']['name']}`"
        return Finding(check, describe(item), Grade.FAILED, f"{have} of {want} are available", remedy)
    return Finding(check, describe(item), Grade.OK, f"{have} of {want} are available")


def pod_health(seen: Seen) -> Iterable[Finding]:
    """Pods of the cluster itself that are not well keep it from being well; those of its users are told."""
    blind = unseen(PODS, seen, Part.PODS)
    if blind is not None:
        yield blind
        return
    sick: dict[str, list[tuple[str, str]]] = {}
    for item in seen.items(Part.PODS):
        trouble = _trouble(item, seen.at)
        if trouble:
            namespace = item["metadata"]["namespace"]
            sick.setdefault(namespace, []).append((str(item["metadata"]["name"]), trouble))
    for namespace, found in sorted(sick.items()):
        grade = Grade.FAILED if is_system(namespace) else Grade.WARNING
        text = few((f"{name} {trouble}" for name, trouble in sorted(found)), 3)
        yield Finding(PODS, namespace, grade, text, f"`kubectl -n {namespace} get pods`, `raijin cluster logs POD`")
    if not sick:
        yield Finding(PODS, seen.subject.cluster, Grade.OK, f"{len(seen.items(Part.PODS))} pods, none in trouble")


def _trouble(item: Document, now: float) -> str:
    """Why a pod is not well; empty when it is, has ended, is ending, or has only just begun."""
    status = item.get("status", {})
    if status.get("phase") == "Succeeded" or item["metadata"].get("deletionTimestamp"):
        return ""
    statuses = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    for container in statuses:
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") not in {None, "", "ContainerCreating", "PodInitializing"}:
            return f"waits: {waiting['reason']}"
    if status.get("phase") == "Failed":
        return f"has failed: {status.get('reason') or 'its containers ended'}"
    for condition in status.get("conditions") or ():
        young = now - seconds_of(condition.get("lastTransitionTime")) < _PATIENCE
        if condition["type"] == "PodScheduled" and condition.get("status") == "False" and not young:
            return f"finds no node: {condition.get('message') or ''}".rstrip(": ")
        if condition["type"] == "Ready" and condition.get("status") == "False" and not young:
            return "is not ready"
    return ""


def seconds_of(text: str | None) -> float:
    """RFC 3339 as seconds since the epoch; 0 when there is none."""
    return dt.datetime.fromisoformat(text).timestamp() if text else 0.0


def cluster_operators(seen: Seen) -> Iterable[Finding]:
    """As `oc get clusteroperators` shows them (OpenShift: ClusterOperator status conditions)."""
    blind = unseen(OPERATORS, seen, Part.OPERATORS)
    if blind is not None:
        yield blind
        return
    for item in seen.items(Part.OPERATORS):
        yield _operator(item["metadata"]["name"], _conditions(item))


def _operator(name: str, conditions: Mapping[str, Document]) -> Finding:
    available, degraded = conditions.get("Available", {}), conditions.get("Degraded", {})
    if available.get("status") != "True":
        text = f"it is not available: {available.get('message') or 'it does not say why'}"
        return Finding(OPERATORS, name, Grade.FAILED, text, f"`oc describe clusteroperator {name}`")
    if degraded.get("status") == "True":
        text = f"it is degraded: {degraded.get('message') or 'it does not say why'}"
        return Finding(OPERATORS, name, Grade.FAILED, text, f"`oc describe clusteroperator {name}`")
    return Finding(OPERATORS, name, Grade.OK, "available")


def _conditions(item: Document) -> dict[str, Document]:
    return {str(condition["type"]): condition for condition in item.get("status", {}).get("conditions") or ()}
