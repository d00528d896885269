"""What a check is given and what it yields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from raijin.definition.tree import Loc, Tree
from raijin.errors import Problem
from raijin.model.cluster import Cluster
from raijin.model.host import Host
from raijin.model.mesh import Mesh
from raijin.model.site import Site
from raijin.model.template import Template

D_co = TypeVar("D_co", Cluster, Mesh, Site, Template, covariant=True)


@dataclass(frozen=True, slots=True)
class Read(Generic[D_co]):
    """A document and the tree that it was read from."""

    model: D_co
    tree: Tree


@dataclass(frozen=True)
class Documents:
    """All documents; `broken` holds the kinds of those that could not be read."""

    sites: tuple[Read[Site], ...] = ()
    clusters: tuple[Read[Cluster], ...] = ()
    meshes: tuple[Read[Mesh], ...] = ()
    templates: tuple[Read[Template], ...] = ()
    broken: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def hosts(self) -> dict[str, Host]:
        return {host.name: host for site in self.sites for host in site.model.hosts}


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault at one place of one document. A warning does not stop anything."""

    tree: Tree
    loc: Loc
    message: str
    remedy: str = ""
    value: str = ""
    warning: bool = False

    def problem(self) -> Problem:
        return self.tree.problem(self.loc, self.message, self.remedy, value=self.value)


def place_of(tree: Tree, loc: Loc) -> str:
    """`site.yaml:12`, to point at the other of two places."""
    return f"{tree.file}:{tree.place(loc)[0]}"


def cycle(edges: dict[str, Iterable[str]], start: str) -> list[str] | None:
    """The way from `start` back to itself along the edges, if there is one."""
    path = [start]
    seen = {start}

    def walk(node: str) -> bool:
        for after in edges.get(node, ()):
            if after == start:
                path.append(after)
                return True
            if after in seen:
                continue
            seen.add(after)
            path.append(after)
            if walk(after):
                return True
            path.pop()
        return False

    return path if walk(start) else None
