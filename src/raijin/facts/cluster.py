"""What the cluster itself says: its nodes and the objects that Raijin put there, as plain values for the planner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from raijin.transport.document import Document, describe

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

LABELS_NOTE = "raijin.dev/labels"
TAINTS_NOTE = "raijin.dev/taints"
"""Annotations of a node: which of its labels and taints are Raijin's to take away again."""
CORDON_NOTE = "raijin.dev/cordoned"
"""Annotation of a node that Raijin has cordoned, so that whoever goes on knows whose cordon it is."""


@dataclass(frozen=True, slots=True)
class Taint:
    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, slots=True)
class NodeState:
    """One node as the API shows it. `reason` says why it is not ready; managed: what Raijin gave it before.

    held: Raijin has cordoned it, and owes it the way back.
    """

    name: str
    ready: bool
    version: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    unschedulable: bool
    addresses: tuple[str, ...]
    reason: str = ""
    os_image: str = ""
    runtime: str = ""
    capacity: Mapping[str, str] = field(default_factory=dict)
    managed_labels: tuple[str, ...] = ()
    managed_taints: tuple[tuple[str, str], ...] = ()
    held: bool = False

    @property
    def control_plane(self) -> bool:
        return "node-role.kubernetes.io/control-plane" in self.labels


@dataclass(frozen=True, slots=True)
class ClusterState:
    """A reachable cluster; `objects` are the live forms of the documents that were asked for (None: not there)."""

    nodes: Mapping[str, NodeState]
    objects: Mapping[str, Document | None] = field(default_factory=dict)


async def observe(kube: Kube, documents: Iterable[Mapping[str, Any]] = ()) -> ClusterState:
    """Read the nodes, and the live form of each document. Raises KubernetesError."""
    nodes = [node_state(document) for document in await kube.list_nodes()]
    objects = {describe(document): await kube.get(document) for document in documents}
    return ClusterState({node.name: node for node in nodes}, objects)


def node_state(document: Document) -> NodeState:
    metadata, spec, status = document["metadata"], document.get("spec", {}), document.get("status", {})
    ready: Document = next((c for c in status.get("conditions", []) if c["type"] == "Ready"), {})
    info = status.get("nodeInfo", {})
    notes = metadata.get("annotations", {})
    return NodeState(
        name=metadata["name"],
        ready=ready.get("status") == "True",
        version=info.get("kubeletVersion", ""),
        labels=metadata.get("labels", {}),
        taints=tuple(Taint(t["key"], t.get("value") or "", t["effect"]) for t in spec.get("taints") or ()),
        unschedulable=bool(spec.get("unschedulable")),
        addresses=tuple(a["address"] for a in status.get("addresses", []) if a["type"] == "InternalIP"),
        reason="" if ready.get("status") == "True" else ready.get("message", "the kubelet has not reported yet"),
        os_image=info.get("osImage", ""),
        runtime=info.get("containerRuntimeVersion", ""),
        capacity=status.get("capacity", {}),
        managed_labels=tuple(filter(None, notes.get(LABELS_NOTE, "").split(","))),
        held=CORDON_NOTE in notes,
        managed_taints=tuple(_pair(text) for text in filter(None, notes.get(TAINTS_NOTE, "").split(","))),
    )


def _pair(text: str) -> tuple[str, str]:
    key, _, effect = text.partition(":")
    return key, effect


def differences(desired: Any, live: Any, path: str = "") -> list[tuple[str, str, str]]:
    """The fields of `desired` that `live` does not have so: (path, live, desired).

    The server adds defaults, so only what is wanted is compared; list items are compared by position, and a list of
    another length differs as a whole.
    """
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        found: list[tuple[str, str, str]] = []
        for key, value in desired.items():
            found += differences(value, live.get(key), f"{path}.{key}" if path else str(key))
        return found
    if isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        pairs = zip(desired, live, strict=True)
        return [d for index, (want, have) in enumerate(pairs) for d in differences(want, have, f"{path}[{index}]")]
    if desired == live or (desired in ({}, [], None, "", False, 0) and live in (None, "", False, 0)):
        return []
    return [(path, _text(live), _text(desired))]


def _text(value: object) -> str:
    return "absent" if value is None else str(value)
