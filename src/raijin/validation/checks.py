"""Every check: its name, its category, what it looks at, and what judges that. What each means: model/validation.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from raijin.errors import NotFound
from raijin.validation import certificates, control, hosts, nodes, workloads
from raijin.validation.finding import Finding
from raijin.validation.seen import Part, Seen


@dataclass(frozen=True, slots=True)
class Check:
    """category: INFRASTRUCTURE or KUBERNETES. usual: it is made when nobody names checks."""

    name: str
    category: str
    parts: tuple[Part, ...]
    judge: Callable[[Seen], Iterable[Finding]]
    usual: bool = True


CHECKS: tuple[Check, ...] = (
    Check(hosts.NAME, "INFRASTRUCTURE", (Part.HOSTS,), hosts.host_health),
    Check(certificates.NAME, "KUBERNETES", (Part.HOSTS,), certificates.certificates),
    Check(control.API, "KUBERNETES", (Part.API,), control.api_availability),
    Check(control.ETCD, "KUBERNETES", (Part.ETCD,), control.etcd_health),
    Check(nodes.READINESS, "KUBERNETES", (Part.NODES,), nodes.node_readiness),
    Check(nodes.VERSIONS, "KUBERNETES", (Part.NODES, Part.API), nodes.versions),
    Check(workloads.NETWORK, "KUBERNETES", (Part.WORKLOADS,), workloads.container_network),
    Check(workloads.SYSTEM, "KUBERNETES", (Part.WORKLOADS,), workloads.system_workloads),
    Check(workloads.PODS, "KUBERNETES", (Part.PODS,), workloads.pod_health),
    Check(workloads.OPERATORS, "KUBERNETES", (Part.OPERATORS,), workloads.cluster_operators, usual=False),
)


def chosen(names: Iterable[str]) -> tuple[Check, ...]:
    """The checks of these names, or the usual ones. Raises NotFound."""
    wanted, known = list(names), {check.name: check for check in CHECKS}
    strange = [name for name in wanted if name not in known]
    if strange:
        raise NotFound(f"there is no health check {', '.join(strange)}", remedy=f"there are {', '.join(known)}")
    return tuple(known[name] for name in wanted) or tuple(check for check in CHECKS if check.usual)


def parts_of(checks: Iterable[Check]) -> frozenset[Part]:
    return frozenset(part for check in checks for part in check.parts)


def judge(checks: Iterable[Check], seen: Seen) -> list[Finding]:
    return [finding for check in checks for finding in check.judge(seen)]
