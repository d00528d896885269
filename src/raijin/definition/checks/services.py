"""Services start in an order that exists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from raijin.definition.checks.base import Documents, Finding, cycle
from raijin.definition.problems import remedy_for, shown
from raijin.definition.tree import Tree
from raijin.model.service import Service


def service_order(documents: Documents) -> Iterator[Finding]:
    """`dependsOn` names services that exist (a cluster's may be of its site) and never leads back."""
    shared = [service.name for site in documents.sites for service in site.model.services]
    for site in documents.sites:
        yield from _check(site.model.services, site.tree, [])
    for cluster in documents.clusters:
        yield from _check(cluster.model.services, cluster.tree, shared)


def _check(services: Sequence[Service], tree: Tree, shared: list[str]) -> Iterator[Finding]:
    known = [service.name for service in services] + shared
    edges: dict[str, Iterable[str]] = {service.name: service.depends_on for service in services}
    reported: set[str] = set()
    for at, service in enumerate(services):
        for number, name in enumerate(service.depends_on):
            if name not in known:
                loc = ("services", at, "dependsOn", number)
                others = [other for other in known if other != service.name]
                remedy = remedy_for(name, others, "add the service, or remove it here")
                yield Finding(tree, loc, "is no service of the cluster or the site", remedy, shown(name))
        ring = cycle(edges, service.name)
        if ring and service.name not in reported:
            reported.update(ring)
            message = f"leads back to the service itself: {' -> '.join(ring)}"
            yield Finding(tree, ("services", at, "dependsOn"), message, "remove one of these dependencies")
