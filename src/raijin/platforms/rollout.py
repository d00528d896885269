"""Workloads that roll out: waited for, with the reason of each pod that holds one up.

A node that does not answer holds nobody up: what should run there is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_access
from raijin.transport.document import Document, describe

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

MOST_REASONS = 3
"""Pods that are named in a message about one workload; the others are counted."""
LONGEST_MESSAGE = 200
REVISION_LABEL = "controller-revision-hash"
"""Given to each pod by its DaemonSet: which form of the template it was made from."""
_STARTING = {"ContainerCreating", "PodInitializing"}

Object = Mapping[str, Any]


async def wait_for_rollout(context: CallContext) -> None:
    """kube.wait-rollout: until every workload runs in its newest form on every node that answers."""
    workloads = cast("list[Document]", context.arguments["workloads"])
    async with open_access(context) as kube:

        async def probe() -> str:
            silent = {node["metadata"]["name"] for node in await kube.list_nodes() if is_silent(node)}
            reasons = [await _reason(kube, workload, silent) for workload in workloads]
            return "; ".join(filter(None, reasons))

        await context.until(
            f"{context.arguments['what']} to run",
            probe,
            interval=1.0,
            remedy="look at these pods (kubectl describe, kubectl logs), then resume the run",
        )


async def _reason(kube: Kube, workload: Document, silent: set[str]) -> str:
    live = await kube.get(workload)
    if live is None:
        return f"{describe(workload)} is not there"
    selector = live["spec"]["selector"].get("matchLabels", {})
    pods = await kube.list_pods(namespace=live["metadata"]["namespace"], labels=selector)
    return rollout_reason(live, pods, silent)


def rollout_reason(live: Object, pods: Sequence[Object], silent: set[str]) -> str:
    """Why a DaemonSet, Deployment or StatefulSet does not count as rolled out yet; empty when it does.

    silent: the nodes that do not answer.
    """
    judge = _JUDGES[live["kind"]]
    noticed = (live.get("status") or {}).get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
    missing = judge(live, pods, silent) if noticed else "its change has not been noticed yet"
    if not missing:
        return ""
    troubles = [trouble for pod in pods if _node(pod) not in silent and (trouble := pod_trouble(pod))]
    more = f" and {len(troubles) - MOST_REASONS} more" if len(troubles) > MOST_REASONS else ""
    shown = f" ({'; '.join(troubles[:MOST_REASONS])}{more})" if troubles else ""
    return f"{describe(live)}: {missing}{shown}"


def is_silent(node: Object) -> bool:
    """Whether its kubelet is heard of no more. One that says of itself that it is not ready is."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "Unknown" for c in conditions)


def _daemon_set(live: Object, pods: Sequence[Object], silent: set[str]) -> str:
    status = live.get("status") or {}
    total, renewed = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    if total == 0:
        return "no node is to run it yet"
    wanted = total - len({_node(pod) for pod in pods} & silent)
    # Only what answers counts, and the status counts everything: so the pods themselves are looked at too.
    newest = _newest_revision(pods) if renewed else None
    here = [pod for pod in pods if _node(pod) not in silent and _revision(pod) == newest]
    if min(renewed, len(here)) < wanted:
        return f"{min(renewed, len(here))} of {wanted} pods are of its newest form"
    # Available: ready for as long as the workload asks (minReadySeconds), which one that crashes at once is not.
    ready = min(sum(is_ready(pod) for pod in here), status.get("numberAvailable", 0))
    return f"{ready} of {wanted} pods are ready" if ready < wanted else ""


def _newest_revision(pods: Iterable[Object]) -> str | None:
    """That of the pod that was made last: a DaemonSet makes new pods in its newest form only."""
    last = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), default=None)
    return _revision(last) if last is not None else None


def _revision(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(REVISION_LABEL, ""))


def _deployment(live: Object, pods: Sequence[Object], silent: set[str]) -> str:
    """As many pods as it needs to be of use; a further one that finds no node yet may come later."""
    del pods, silent
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    renewed, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if renewed < wanted:
        return f"{renewed} of {wanted} pods are of its newest form"
    old = status.get("replicas", 0) - renewed
    if old > 0:
        return f"{old} pods of its old form are still there"
    enough = any(c["type"] == "Available" and c["status"] == "True" for c in status.get("conditions") or ())
    return "" if wanted == 0 or (enough and ready) else f"{ready} of {wanted} pods are ready"


def _stateful_set(live: Object, pods: Sequence[Object], silent: set[str]) -> str:
    """Those of a partition keep their form."""
    del pods, silent
    status, wanted = live.get("status") or {}, live["spec"].get("replicas", 1)
    partition = ((live["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    renewed, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if renewed < wanted - partition:
        return f"{renewed} of {wanted} pods are of its newest form"
    return f"{ready} of {wanted} pods are ready" if ready < wanted else ""


_JUDGES: dict[str, Callable[[Object, Sequence[Object], set[str]], str]] = {
    "DaemonSet": _daemon_set, "Deployment": _deployment, "StatefulSet": _stateful_set,
}  # fmt: skip


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    leaving = pod["metadata"].get("deletionTimestamp")
    return not leaving and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def pod_trouble(pod: Object) -> str:
    """What keeps a pod from running, in the words of the kubelet or the scheduler; empty when nothing is known."""
    status, where = pod.get("status") or {}, _node(pod)
    name = pod["metadata"]["name"] + (f" on {where}" if where else "")
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{name}: {_short(condition.get('message') or condition.get('reason', ''))}"
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in _STARTING:
            return f"{name}: {container['name']} waits: {waiting.get('reason', '')}{_last_words(container, waiting)}"
    return ""


def _last_words(container: Object, waiting: Object) -> str:
    """How a container that is started again and again ended, or why its image cannot be had."""
    ended = (container.get("lastState") or {}).get("terminated")
    if ended is None:
        said = waiting.get("message") or ""
    else:
        said = ended.get("message") or f"it ended with status {ended.get('exitCode', '?')}"
    return f", {_short(said)}" if said.strip() else ""


def _short(text: str) -> str:
    """The last line, which is the one that says why, of a bounded length."""
    lines = text.strip().splitlines()
    last = lines[-1].strip() if lines else ""
    return last if len(last) <= LONGEST_MESSAGE else f"{last[:LONGEST_MESSAGE]}..."


def _node(pod: Object) -> str:
    return str((pod.get("spec") or {}).get("nodeName", ""))


HANDLERS: Handlers = {"kube.wait-rollout": wait_for_rollout}

BY_HAND = {
    "kube.wait-rollout": "Wait for each of these: `kubectl rollout status KIND/NAME --namespace NAMESPACE`",
}
