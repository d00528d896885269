"""Workloads that are started anew, by their own rules of a rolling change, because of what they read at their start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_access
from raijin.platforms.rollout import is_silent, rollout_reason
from raijin.transport.document import Document, describe

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

NOTE = "raijin.dev/authorities"
"""Annotation of a pod template: which turn of a rotation of authorities its pods have seen."""
KINDS = {"daemonsets": "DaemonSet", "deployments": "Deployment", "statefulsets": "StatefulSet"}
_MOST_TOLD = 20


async def restart_workloads(context: CallContext) -> None:
    """kube.restart: every workload of these namespaces (none: of all) whose pods may speak to the API.

    mark: what they bear afterwards; those that bear it already have been started anew. The others are told.
    """
    namespaces, mark = context.texts("namespaces"), context.text("mark")
    async with open_access(context) as kube:
        found = [one for one in await _workloads(kube) if speaks_to_the_api(one)]
        chosen, left = list[Document](), list[Document]()
        for one in found:
            (chosen if not namespaces or one["metadata"]["namespace"] in namespaces else left).append(one)
        begun = [one for one in chosen if await _begin(context, kube, one, mark)]
        if left:
            context.say(f"not started anew, and may have read the old authority: {_told(left)}")

        async def probe() -> str:
            silent = {node["metadata"]["name"] for node in await kube.list_nodes() if is_silent(node)}
            return "; ".join(filter(None, [await _reason(kube, one, silent) for one in begun]))

        await context.until(
            "workloads that were started anew to run",
            probe,
            interval=1.0,
            remedy="look at these pods (kubectl describe, kubectl logs), then resume the run",
        )


def speaks_to_the_api(workload: Document) -> bool:
    """Whether its pods are given a token and the authority of the API: they are unless they do not want it."""
    spec = workload["spec"]["template"]["spec"]
    own = [s for v in spec.get("volumes") or () for s in (v.get("projected") or {}).get("sources") or ()]
    return spec.get("automountServiceAccountToken") is not False or any("serviceAccountToken" in s for s in own)


async def _workloads(kube: Kube) -> list[Document]:
    found: list[Document] = []
    for plural, kind in KINDS.items():
        found += [{**one, "apiVersion": "apps/v1", "kind": kind} for one in await kube.items(f"/apis/apps/v1/{plural}")]
    return found


async def _begin(context: CallContext, kube: Kube, workload: Document, mark: str) -> bool:
    """Whether it rolls by itself now, and is to be waited for."""
    strategy = (workload["spec"].get("updateStrategy") or {}).get("type")
    if strategy == "OnDelete" or workload["spec"].get("paused"):
        context.say(f"{describe(workload)} is not started anew by a change: delete its pods yourself")
        return False
    notes = (workload["spec"]["template"].get("metadata") or {}).get("annotations") or {}
    if notes.get(NOTE) != mark:
        context.say(f"starting anew {describe(workload)}")
        await kube.patch(workload, {"spec": {"template": {"metadata": {"annotations": {NOTE: mark}}}}})
    return True


async def _reason(kube: Kube, workload: Document, silent: set[str]) -> str:
    live = await kube.get(workload)
    if live is None:  # somebody has deleted it meanwhile
        return ""
    live = {**live, "kind": workload["kind"]}
    if workload["kind"] == "StatefulSet":
        return rollout_reason(live, (), silent)
    if not (live.get("status") or {}).get("desiredNumberScheduled", 1):
        return ""  # a DaemonSet for nodes that there are none of
    selector = live["spec"]["selector"].get("matchLabels", {})
    pods = await kube.list_pods(namespace=live["metadata"]["namespace"], labels=selector)
    return rollout_reason(live, pods, silent)


def _told(workloads: Sequence[Document]) -> str:
    names = [describe(one) for one in workloads]
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return f"{', '.join(names[:_MOST_TOLD])}{more}"


HANDLERS: Handlers = {"kube.restart": restart_workloads}
BY_HAND = {
    "kube.restart": "`kubectl rollout restart` the DaemonSets, Deployments and StatefulSets of these namespaces (of "
    "all, where none is named), and `kubectl rollout status` each:",
}
