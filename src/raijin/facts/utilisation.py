"""What nodes and pods of a cluster use now, and what their pods ask for.

The metrics API (`metrics.k8s.io/v1beta1`, metrics-server) is asked first. Where nobody serves it, each kubelet is asked
for its summary, through the API server. What nobody tells is said, never taken for nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raijin.errors import KubernetesError
from raijin.facts.cluster import node_state
from raijin.facts.quantity import amount
from raijin.state.samples import NodeSample, PodSample
from raijin.transport.document import Document

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

METRICS, KUBELETS = "metrics.k8s.io", "kubelet"
AT_A_TIME = 8
"""Kubelets that are asked side by side: each answer is some hundred kilobytes on a full node."""
AWAY = frozenset({"NoSchedule", "NoExecute"})

Use = tuple[float, float]
"""CPU in cores, memory in bytes (the working set, as the kubelet counts it for evictions)."""
PodName = tuple[str, str]
"""Namespace and name."""
Asking = tuple[Document, Use]
"""A pod, and what it asks for."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody told of use: nodes by name, pods by namespace and name."""

    nodes: Mapping[str, Use]
    pods: Mapping[PodName, Use]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Utilisation:
    """at: seconds since the epoch. source: who told. faults: what is missing. waiting: pods that have no node yet."""

    at: float
    source: str
    nodes: tuple[NodeSample, ...]
    pods: tuple[PodSample, ...]
    faults: tuple[str, ...] = ()
    waiting: int = 0


async def measure(kube: Kube) -> Utilisation:
    """Look once. Raises KubernetesError when nodes and pods cannot be listed, or nobody tells what they use."""
    at = time.time()
    nodes, pods = await asyncio.gather(kube.items("/api/v1/nodes"), kube.items("/api/v1/pods"))
    names = [str(node["metadata"]["name"]) for node in nodes]
    try:
        source, told = METRICS, await _by_metrics(kube)
    except KubernetesError as refused:
        source, told = KUBELETS, await _by_kubelets(kube, names)
        if not told.nodes:
            raise KubernetesError(
                f"nobody tells what is used: there is no metrics API ({refused.message}), and no kubelet answers",
                host=kube.cluster,
                remedy="install metrics-server, or look at the kubelets",
                detail="\n".join(told.faults),
            ) from refused
    try:
        return _joined(at, source, nodes, pods, told)
    except ValueError as error:
        raise KubernetesError(f"what nodes and pods ask for cannot be read: {error}", host=kube.cluster) from error


async def _by_metrics(kube: Kube) -> Told:
    # metrics.k8s.io/v1beta1: NodeMetrics.usage, PodMetrics.containers[].usage
    nodes, pods = await asyncio.gather(
        kube.items("/apis/metrics.k8s.io/v1beta1/nodes"), kube.items("/apis/metrics.k8s.io/v1beta1/pods")
    )
    try:
        return Told(
            {item["metadata"]["name"]: _use(item.get("usage")) for item in nodes},
            {_name(item): _sum(_use(c.get("usage")) for c in item.get("containers") or ()) for item in pods},
        )
    except ValueError as error:
        raise KubernetesError(f"the metrics API cannot be read: {error}", host=kube.cluster) from error


async def _by_kubelets(kube: Kube, names: Sequence[str]) -> Told:
    turn, nodes, pods, faults = asyncio.Semaphore(AT_A_TIME), dict[str, Use](), dict[PodName, Use](), list[str]()

    async def one(name: str) -> None:
        async with turn:
            try:
                text = await kube.read(f"/api/v1/nodes/{name}/proxy/stats/summary", only_cpu_and_memory="true")
                summary = json.loads(text)
            except (KubernetesError, ValueError) as error:
                faults.append(f"{name}: {error.message if isinstance(error, KubernetesError) else error}")
                return
        use = _summarised(summary.get("node"))
        if use is None:
            faults.append(f"{name}: its kubelet has not measured yet")
            return
        nodes[name] = use
        for item in summary.get("pods") or ():
            if (seen := _summarised(item)) is not None:
                pods[item["podRef"]["namespace"], item["podRef"]["name"]] = seen

    await asyncio.gather(*map(one, names))
    return Told(nodes, pods, tuple(sorted(faults)))


def _summarised(part: Mapping[str, Any] | None) -> Use | None:
    """k8s.io/kubelet/pkg/apis/stats/v1alpha1: both are absent until the kubelet has measured twice."""
    cpu, memory = (part or {}).get("cpu") or {}, (part or {}).get("memory") or {}
    if cpu.get("usageNanoCores") is None or memory.get("workingSetBytes") is None:
        return None
    return float(cpu["usageNanoCores"]) / 1e9, float(memory["workingSetBytes"])


def _joined(at: float, source: str, nodes: Sequence[Document], pods: Sequence[Document], told: Told) -> Utilisation:
    placed: dict[str, list[Asking]] = {}
    waiting = 0
    for pod in pods:
        phase, node = (pod.get("status") or {}).get("phase"), (pod.get("spec") or {}).get("nodeName")
        if phase in {"Succeeded", "Failed"}:
            continue
        if node:
            placed.setdefault(node, []).append((pod, requests(pod)))
        else:
            waiting += 1
    samples, faults = [], list(told.faults)
    blamed = {fault.partition(": ")[0] for fault in told.faults}
    for node in nodes:
        name = str(node["metadata"]["name"])
        if name not in told.nodes:
            if name not in blamed:
                faults.append(f"{name}: {source} tells nothing of it")
            continue
        samples.append(_node_sample(at, node, placed.get(name, []), told.nodes[name]))
    seen = tuple(_pod_samples(at, placed, told))
    return Utilisation(at, source, tuple(samples), seen, tuple(faults), waiting)


def _node_sample(at: float, node: Document, pods: Sequence[Asking], use: Use) -> NodeSample:
    state, size = node_state(node), (node.get("status") or {}).get("allocatable")
    asked = _sum(asked for _, asked in pods)
    takes = state.ready and not state.unschedulable and not any(taint.effect in AWAY for taint in state.taints)
    return NodeSample(
        state.name, at, use[0], amount(size, "cpu"), asked[0], use[1], amount(size, "memory"), asked[1],
        len(pods), int(amount(size, "pods")), takes, use[0], use[1],
    )  # fmt: skip


def _pod_samples(at: float, placed: Mapping[str, Sequence[Asking]], told: Told) -> Iterator[PodSample]:
    for node, pods in placed.items():
        for pod, asked in pods:
            name = _name(pod)
            if name in told.pods:
                cpu, memory = told.pods[name]
                yield PodSample(name[0], name[1], node, at, cpu, asked[0], memory, asked[1])


def requests(pod: Document) -> Use:
    """What the scheduler counts for a pod (KEP-753, KEP-2837).

    Its containers and sidecars together, or what one init container needs beside the sidecars before it, if that is
    more; a request of the pod as a whole in their place; the overhead of its runtime class.
    """
    spec = pod.get("spec") or {}
    overhead = _use(spec.get("overhead"))
    sidecars: Use = (0.0, 0.0)
    first: Use = (0.0, 0.0)
    for container in spec.get("initContainers") or ():
        asked = _asked(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, asked))
        else:
            both = _sum((sidecars, asked))
            first = (max(first[0], both[0]), max(first[1], both[1]))
    running = _sum((sidecars, *(_asked(container) for container in spec.get("containers") or ())))
    whole = (spec.get("resources") or {}).get("requests") or {}
    cpu = amount(whole, "cpu") if "cpu" in whole else max(first[0], running[0])
    memory = amount(whole, "memory") if "memory" in whole else max(first[1], running[1])
    return cpu + overhead[0], memory + overhead[1]


def _asked(container: Mapping[str, Any]) -> Use:
    return _use((container.get("resources") or {}).get("requests"))


def _use(resources: Mapping[str, Any] | None) -> Use:
    return amount(resources, "cpu"), amount(resources, "memory")


def _sum(uses: Any) -> Use:
    cpu = memory = 0.0
    for more in uses:
        cpu, memory = cpu + more[0], memory + more[1]
    return cpu, memory


def _name(item: Document) -> PodName:
    return str(item["metadata"]["namespace"]), str(item["metadata"]["name"])
