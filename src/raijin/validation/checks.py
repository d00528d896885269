"""Every check: its name, its category, what it looks at, and what judges that. What each means: model/validation.py."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from raijin.errors import NotFound
from raijin.validation import (
    apiserver,
    applications,
    certificates,
    control,
    files,
    hosts,
    nameservice,
    nodes,
    podsecurity,
    rights,
    services,
    support,
    workloads,
)
from raijin.validation.finding import Finding
from raijin.validation.seen import Part, Seen


@dataclass(frozen=True, slots=True)
class Check:
    """category: one of CATEGORIES. usual: it is made when nobody names checks. also: another category that it is of."""

    name: str
    category: str
    parts: tuple[Part, ...]
    judge: Callable[[Seen], Iterable[Finding]]
    usual: bool = True
    also: str = ""

    def of(self, categories: Collection[str]) -> bool:
        return self.category in categories or self.also in categories


CATEGORIES = ("INFRASTRUCTURE", "KUBERNETES", "APPLICATION", "SECURITY")
CHECKS: tuple[Check, ...] = (
    Check(hosts.NAME, "INFRASTRUCTURE", (Part.HOSTS,), hosts.host_health),
    Check(certificates.NAME, "KUBERNETES", (Part.HOSTS,), certificates.certificates, also="SECURITY"),
    Check(control.API, "KUBERNETES", (Part.API,), control.api_availability),
    Check(control.ETCD, "KUBERNETES", (Part.ETCD,), control.etcd_health),
    Check(nodes.READINESS, "KUBERNETES", (Part.NODES,), nodes.node_readiness),
    Check(nodes.VERSIONS, "KUBERNETES", (Part.NODES, Part.API), nodes.versions),
    Check(workloads.NETWORK, "KUBERNETES", (Part.WORKLOADS,), workloads.container_network),
    Check(workloads.SYSTEM, "KUBERNETES", (Part.WORKLOADS,), workloads.system_workloads),
    Check(workloads.PODS, "KUBERNETES", (Part.PODS,), workloads.pod_health, also="APPLICATION"),
    Check(apiserver.NAME, "SECURITY", (Part.HOSTS,), apiserver.api_security),
    Check(files.NAME, "SECURITY", (Part.HOSTS,), files.host_security),
    Check(rights.NAME, "SECURITY", (Part.RIGHTS,), rights.access_rights),
    Check(podsecurity.NAME, "SECURITY", (Part.PODS, Part.NAMESPACES), podsecurity.pod_security),
    Check(support.NAME, "SECURITY", (Part.NODES, Part.API), support.version_support),
    Check(applications.WORKLOADS, "APPLICATION", (Part.WORKLOADS, Part.JOBS), applications.application_workloads),
    Check(applications.CLAIMS, "APPLICATION", (Part.CLAIMS, Part.CLASSES, Part.PODS), applications.volume_claims),
    Check(services.NAME, "APPLICATION", (Part.SERVICES, Part.ENDPOINTS, Part.INGRESSES), services.service_endpoints),
    Check(nameservice.NAME, "APPLICATION", (Part.SERVICES, Part.DNS), nameservice.cluster_dns),
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
