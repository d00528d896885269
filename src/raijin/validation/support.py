"""version-support: versions that nobody mends any more, and kubelets that are too far behind.

Rules: Kubernetes, "Version Skew Policy" (a kubelet may be up to three minors older than the API server, and from before
1.25 two); the ends of life by kubernetes.io/releases (patch releases).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from raijin.facts.cluster import NodeState, node_state
from raijin.model.version import Version
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen

NAME = "version-support"
ENDS = {
    31: dt.date(2025, 11, 11), 32: dt.date(2026, 2, 28), 33: dt.date(2026, 6, 28), 34: dt.date(2026, 10, 27),
    35: dt.date(2027, 2, 28),
}  # fmt: skip
"""The last day on which the project mends a minor of version 1. Older ones are past it; newer ones are not judged."""
UPGRADE = "`raijin cluster upgrade`"


def skew(minor: int) -> int:
    """How many minors a kubelet may be behind an API server of this one."""
    return 3 if minor >= 28 else 2


def version_support(seen: Seen) -> Iterable[Finding]:
    blind = unseen(NAME, seen, Part.NODES)
    if blind is not None:
        yield blind
        return
    nodes = [node_state(item) for item in seen.items(Part.NODES)]
    server = Version.parse(seen.version) if seen.version else None
    found = [*_behind(nodes, server), *_ended(nodes, seen.at)]
    yield from found
    if not found:
        yield Finding(NAME, seen.subject.cluster, Grade.OK, "every node runs a version that its project mends")


def _behind(nodes: list[NodeState], server: Version | None) -> Iterator[Finding]:
    for node in nodes:
        running = Version.parse(node.version) if node.version else None
        if server is None or running is None or running.major != server.major:
            continue
        if server.minor - running.minor > skew(server.minor):
            text = f"its kubelet {running} is more than {skew(server.minor)} minors behind the API server {server}"
            yield Finding(NAME, node.name, Grade.FAILED, text, UPGRADE)


def _ended(nodes: list[NodeState], at: float) -> Iterator[Finding]:
    today = dt.datetime.fromtimestamp(at, dt.UTC).date()
    past: dict[str, list[str]] = {}
    for node in nodes:
        running = Version.parse(node.version) if node.version else None
        if running is None or running.major != 1:
            continue
        end = ENDS.get(running.minor)
        if end is not None and end < today:
            past.setdefault(f"{running.major}.{running.minor} since {end.isoformat()}", []).append(node.name)
        elif running.minor < min(ENDS):
            past.setdefault(f"{running.major}.{running.minor} for long", []).append(node.name)
    for what, names in sorted(past.items()):
        yield Finding(NAME, few(sorted(names), 3), Grade.WARNING, f"nobody mends {what}", UPGRADE)
