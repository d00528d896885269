"""Emptying a node, politely: every eviction asks, so that no PodDisruptionBudget is broken behind its owner's back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from raijin.errors import DeadlineExceeded, KubernetesError
from raijin.facts.cluster import CORDON_NOTE
from raijin.observe.waiting import until
from raijin.transport.document import Document

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

CORDON = {"metadata": {"annotations": {CORDON_NOTE: "drained"}}, "spec": {"unschedulable": True}}
UNCORDON = {"metadata": {"annotations": {CORDON_NOTE: None}}, "spec": {"unschedulable": None}}
MIRROR = "kubernetes.io/config.mirror"


async def drain(kube: Kube, node: str, *, timeout: float, force: bool, say: Callable[[str], None]) -> None:
    """Cordon the node and evict its pods.

    Pods of DaemonSets and static pods stay; pods without a controller would be lost, so they are refused unless
    `force`. When it fails or is interrupted, a node that was schedulable before is made so again.
    Raises KubernetesError, DeadlineExceeded (naming the pods that are left and why).
    """
    live = await kube.get({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
    if live is None:
        say("the node object is gone already")
        return
    was_cordoned = bool(live.get("spec", {}).get("unschedulable"))
    if not was_cordoned:
        await kube.patch_node(node, CORDON)
    try:
        await _evict_all(kube, node, timeout=timeout, force=force, say=say)
    except BaseException:
        if not was_cordoned:
            await kube.patch_node(node, UNCORDON)
            say(f"{node} is schedulable again")
        raise


async def uncordon(kube: Kube, node: str, *, say: Callable[[str], None]) -> None:
    """Let pods come back, if it was Raijin that kept them away. A cordon of somebody else stays."""
    live = await kube.get({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
    if live is not None and CORDON_NOTE in live["metadata"].get("annotations", {}):
        await kube.patch_node(node, UNCORDON)
        say(f"{node} is schedulable again")


async def _evict_all(kube: Kube, node: str, *, timeout: float, force: bool, say: Callable[[str], None]) -> None:
    lonely = [pod for pod in await kube.list_pods(node=node) if leaves(pod) and not owner(pod)]
    if lonely and not force:
        names = ", ".join(sorted(map(name_of, lonely)))
        raise KubernetesError(
            f"these pods of {node} have no controller and would be lost: {names}",
            host=node,
            remedy="move or delete them yourself, or use --force",
        )
    asked: dict[str, float] = {}

    async def probe() -> str:
        left = [pod for pod in await kube.list_pods(node=node) if leaves(pod)]
        held: list[str] = []
        for pod in left:
            metadata = pod["metadata"]
            if metadata.get("deletionTimestamp"):
                continue
            if not await kube.evict(metadata["namespace"], metadata["name"]):
                held.append(name_of(pod))
            asked.setdefault(name_of(pod), time.monotonic())
        if held:
            return f"a PodDisruptionBudget holds {', '.join(sorted(held))}"
        if left:
            return f"{len(left)} pods are ending: {', '.join(sorted(map(name_of, left))[:5])}"
        return ""

    try:
        await until(f"the pods of {node} to leave", probe, timeout=timeout, interval=0.5, host=node, on_wait=say)
    except DeadlineExceeded as error:
        error.remedy = "look at the named pods and their PodDisruptionBudgets, or give policy.drainTimeout more"
        raise
    if asked:
        say(f"{len(asked)} pods left {node}")


def leaves(pod: Document) -> bool:
    """Whether a drain is about this pod at all."""
    metadata = pod["metadata"]
    finished = pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    return not finished and MIRROR not in metadata.get("annotations", {}) and owner(pod) != "DaemonSet"


def owner(pod: Document) -> str:
    """The kind of a pod's controller; empty when nobody would make it anew."""
    owners: list[dict[str, Any]] = pod["metadata"].get("ownerReferences") or []
    return next((str(o["kind"]) for o in owners if o.get("controller")), "")


def name_of(pod: Document) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
