"""node-readiness and versions: the nodes as the API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raijin.facts.cluster import NodeState, node_state
from raijin.model.version import Version
from raijin.transport.document import Document
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Part, Seen

READINESS, VERSIONS = "node-readiness", "versions"
_LACKS = {
    "MemoryPressure": "it runs out of memory",
    "DiskPressure": "it runs out of room on its disks",
    "PIDPressure": "it runs out of process numbers",
    "NetworkUnavailable": "its container network is not set up",
}
"""Conditions of a node that should not be true (Kubernetes: node conditions)."""
_LOOK = "look at `raijin cluster logs {}`"


def unseen(check: str, seen: Seen, part: Part) -> Finding | None:
    """What to say when the API did not tell."""
    if part not in seen.failures:
        return None
    text = f"the API does not tell: {seen.failures[part]}"
    return Finding(check, seen.subject.cluster, Grade.UNKNOWN, text, "see api-availability")


def node_readiness(seen: Seen) -> Iterable[Finding]:
    blind = unseen(READINESS, seen, Part.NODES)
    if blind is not None:
        yield blind
        return
    known = {str(item["metadata"]["name"]): item for item in seen.items(Part.NODES)}
    for place in seen.subject.places:
        if place.name in known:
            yield _readiness(known[place.name])
        elif not place.left_out:
            yield Finding(READINESS, place.name, Grade.FAILED, "it is no node of the cluster", "run `raijin apply`")
    for name in known.keys() - {place.name for place in seen.subject.places}:
        text = "it is a node of the cluster and not in the definition"
        yield Finding(READINESS, name, Grade.WARNING, text, "see what `raijin plan` would do about it")


def _readiness(item: Document) -> Finding:
    node = node_state(item)
    if not node.ready:
        return Finding(READINESS, node.name, Grade.FAILED, f"it is not Ready: {node.reason}", _LOOK.format(node.name))
    lacks = [text for kind, text in _LACKS.items() if kind in _true(item)]
    if lacks:
        return Finding(READINESS, node.name, Grade.FAILED, "; ".join(lacks), _LOOK.format(node.name))
    if node.unschedulable:
        whose = "Raijin has cordoned it, and a run that failed has left it so" if node.held else "somebody cordoned it"
        remedy = (
            "`raijin apply` lets pods return" if node.held else f"`kubectl uncordon {node.name}` if nobody needs it"
        )
        return Finding(READINESS, node.name, Grade.WARNING, whose, remedy)
    return Finding(READINESS, node.name, Grade.OK, "Ready")


def _true(item: Document) -> set[str]:
    conditions = item.get("status", {}).get("conditions") or ()
    return {str(condition["type"]) for condition in conditions if condition.get("status") == "True"}


def versions(seen: Seen) -> Iterable[Finding]:
    blind = unseen(VERSIONS, seen, Part.NODES)
    if blind is not None:
        yield blind
        return
    wanted = Version.parse(seen.subject.version) if seen.subject.version else None
    nodes = {node.name: node for node in map(node_state, seen.items(Part.NODES))}
    yield from (_version(node, wanted) for node in nodes.values())
    server = Version.parse(seen.version) if seen.version else None
    if server is not None and wanted is not None and server != wanted:
        text = f"the API server runs {server}, and the definition says {wanted}"
        yield Finding(
            VERSIONS, seen.subject.cluster, Grade.WARNING, text, "`raijin cluster upgrade`, or `raijin apply`"
        )
    yield from _ahead(nodes, server)


def _version(node: NodeState, wanted: Version | None) -> Finding:
    running = Version.parse(node.version) if node.version else None
    if running is None:
        return Finding(VERSIONS, node.name, Grade.UNKNOWN, f"its kubelet says {node.version or 'nothing'}")
    if wanted is not None and running != wanted:
        text = f"its kubelet is {running}, and the definition says {wanted}"
        return Finding(VERSIONS, node.name, Grade.WARNING, text, "`raijin cluster upgrade`, or `raijin apply`")
    return Finding(VERSIONS, node.name, Grade.OK, f"{running}")


def _ahead(nodes: Mapping[str, NodeState], server: Version | None) -> Iterable[Finding]:
    """A kubelet must not be newer than the API server (Kubernetes: version skew policy)."""
    for node in nodes.values():
        running = Version.parse(node.version) if node.version else None
        if running and server and (running.major, running.minor) > (server.major, server.minor):
            text = f"its kubelet {running} is newer than the API server {server}"
            yield Finding(VERSIONS, node.name, Grade.FAILED, text, "upgrade the control plane first")
