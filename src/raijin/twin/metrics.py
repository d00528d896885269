"""What metrics-server of a simulated cluster tells: so much for each node, and so much more for each pod on it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from raijin.transport.twin import Told
from raijin.twin.cluster import Cluster

PATH = "/apis/metrics.k8s.io/v1beta1/"
NODE = (150, 900)
POD = (40, 120)
"""Thousandths of a core, and MiB of memory."""


def told(cluster: Cluster, what: str) -> Told | None:
    """Nodes or pods with their use; None for another question. Nodes that are gone tell nothing."""
    if what == "nodes":
        counts = Counter(pod["spec"].get("nodeName") for pod in cluster.pods())
        names = [str(node["metadata"]["name"]) for node in cluster.nodes()]
        items = [_node(name, counts[name]) for name in names]
    elif what == "pods":
        items = [
            {"metadata": {n: pod["metadata"][n] for n in ("name", "namespace")}, "containers": [_use("main", *POD)]}
            for pod in cluster.pods()
        ]
    else:
        return None
    kind = "NodeMetricsList" if what == "nodes" else "PodMetricsList"
    return Told(200, {"kind": kind, "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items})


def _node(name: str, count: int) -> dict[str, Any]:
    """count: the pods on it."""
    use = _use("", NODE[0] + count * POD[0], NODE[1] + count * POD[1])
    return {"metadata": {"name": name}, "usage": use["usage"]}


def _use(name: str, cpu: int, memory: int) -> dict[str, Any]:
    return {"name": name, "usage": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}}
