"""Names that two things of one kind must not share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.definition.checks.base import Documents, Finding, Read, place_of
from raijin.definition.problems import shown
from raijin.definition.tree import Loc, Tree

Named = tuple[str, Tree, Loc]


def duplicate_names(documents: Documents) -> Iterator[Finding]:
    """Two documents of one kind, two groups or services of one document, with one name."""
    kinds: tuple[tuple[Read, ...], ...] = (  # type: ignore[type-arg]
        documents.sites,
        documents.clusters,
        documents.meshes,
        documents.templates,
    )
    for reads in kinds:
        named = [(read.model.name, read.tree, ("name",)) for read in reads]
        yield from repeated(f"{reads[0].model.kind} documents" if reads else "", named)
    for cluster in documents.clusters:
        names = [group.name for group in cluster.model.node_groups]
        yield from repeated("node groups", _items(names, cluster.tree, "nodeGroups"))
        names = [service.name for service in cluster.model.services]
        yield from repeated("services", _items(names, cluster.tree, "services"))
    for site in documents.sites:
        yield from repeated("networks", _items([n.name for n in site.model.networks], site.tree, "networks"))
        yield from repeated("services", _items([s.name for s in site.model.services], site.tree, "services"))
        yield from repeated("NAS entries", _items([n.name for n in site.model.nas], site.tree, "nas"))
        links = [
            (link.interface, site.tree, ("wanLinks", at, "interface")) for at, link in enumerate(site.model.wan_links)
        ]
        yield from repeated("internet links", links, what="interface")


def repeated(things: str, named: Iterable[Named], *, what: str = "name") -> Iterator[Finding]:
    """A finding for each name that was there before."""
    first: dict[str, tuple[Tree, Loc]] = {}
    for name, tree, loc in named:
        if name in first:
            message = f"is the {what} of two {things}: the other is at {place_of(*first[name])}"
            yield Finding(tree, loc, message, f"give each its own {what}", shown(name))
        else:
            first[name] = (tree, loc)


def _items(names: list[str], tree: Tree, key: str) -> list[Named]:
    return [(name, tree, (key, at, "name")) for at, name in enumerate(names)]
