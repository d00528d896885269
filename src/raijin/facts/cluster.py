"""What the cluster itself says: its nodes and the objects that Raijin put there, as plain values for the planner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from raijin.transport.document import FIELD_MANAGER, Document, describe

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

LABELS_NOTE = "raijin.dev/labels"
TAINTS_NOTE = "raijin.dev/taints"
"""Annotations of a node: which of its labels and taints are Raijin's to take away again."""
CORDON_NOTE = "raijin.dev/cordoned"
"""Annotation of a node that Raijin has cordoned, so that whoever goes on knows whose cordon it is."""
PART_LABEL = "raijin.dev/part"
"""Label of every object that Raijin applied: which part of the cluster it belongs to."""
PRUNED_KINDS = (
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("crd.projectcalico.org/v1", "BGPPeer"),
    ("crd.projectcalico.org/v1", "BGPConfiguration"),
)
"""Kinds of which Raijin deletes what it applied and no longer wants. Namespaces, definitions of kinds and address pools
are not among them: what others have put there, or got from there, would go with them."""
AT_A_TIME = 8
"""Requests side by side: over a slow line each takes a round trip."""


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
    """A reachable cluster.

    objects: the live forms of the documents that were asked for (None: not there). parts: everything that bears the
    label of the part that was asked for. moment: when this was, in seconds since the epoch.
    """

    nodes: Mapping[str, NodeState]
    objects: Mapping[str, Document | None] = field(default_factory=dict)
    parts: Mapping[str, Document] = field(default_factory=dict)
    moment: float = 0.0


async def observe(kube: Kube, documents: Iterable[Mapping[str, Any]] = (), part: str = "") -> ClusterState:
    """Read the nodes, the live form of each document, and what bears the label of a part. Raises KubernetesError."""
    turn = asyncio.Semaphore(AT_A_TIME)
    asked = {describe(document): document for document in documents}

    async def live(document: Mapping[str, Any]) -> Document | None:
        async with turn:
            return _without_secret(await kube.get(document))

    async def labelled(api_version: str, kind: str) -> list[Document]:
        async with turn:
            return await kube.list(api_version, kind, {PART_LABEL: part})

    nodes, found, parts = await asyncio.gather(
        kube.list_nodes(),
        asyncio.gather(*map(live, asked.values())),
        asyncio.gather(*(labelled(*kind) for kind in PRUNED_KINDS if part)),
    )
    return ClusterState(
        {node.name: node for node in map(node_state, nodes)},
        dict(zip(asked, found, strict=True)),
        {describe(item): _named_only(item) for items in parts for item in items},
        time.time(),
    )


def _without_secret(document: Document | None) -> Document | None:
    """What a Secret holds is nobody's business here: that it is there is."""
    if document is None or document["kind"] != "Secret":
        return document
    return {key: value for key, value in document.items() if key not in {"data", "stringData"}}


def _named_only(document: Document) -> Document:
    """What names an object, and nothing of what is in it."""
    metadata = {key: document["metadata"][key] for key in ("name", "namespace") if document["metadata"].get(key)}
    return {"apiVersion": document["apiVersion"], "kind": document["kind"], "metadata": metadata}


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


def given_up(desired: Mapping[str, Any], live: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The fields that Raijin applied to a live object and no longer wants: (path, live, "absent").

    Whose a field is, the server keeps in `managedFields`, as a tree of `f:NAME` for the fields of mappings. Items of
    lists are not looked at: `differences` sees those.
    """
    own = (item for item in live.get("metadata", {}).get("managedFields") or () if item["manager"] == FIELD_MANAGER)
    trees = (item.get("fieldsV1") or {} for item in own if item.get("operation") == "Apply")
    return [found for tree in trees for found in _given_up(tree, desired, live, "")]


def _given_up(tree: Mapping[str, Any], desired: Any, live: Any, path: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for key, below in tree.items():
        name = key.removeprefix("f:")
        if name == key or not isinstance(live, Mapping) or name not in live:
            continue
        at = f"{path}.{name}" if path else name
        if not isinstance(desired, Mapping) or name not in desired:
            found.append((at, _text(live[name]), "absent"))
        else:
            found += _given_up(below, desired[name], live[name], at)
    return found


def _text(value: object) -> str:
    return "absent" if value is None else str(value)
