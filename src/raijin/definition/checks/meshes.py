"""Meshes and templates refer to documents that exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.definition.checks.base import Documents, Finding, cycle
from raijin.definition.problems import remedy_for, shown
from raijin.definition.tree import Loc
from raijin.model.mesh import Mesh


def meshes(documents: Documents) -> Iterator[Finding]:
    """The clusters of a mesh exist, and its parts speak of its own clusters only."""
    defined = [cluster.model.name for cluster in documents.clusters]
    for mesh in documents.meshes:
        if "Cluster" not in documents.broken:
            for at, name in enumerate(mesh.model.clusters):
                if name not in defined:
                    remedy = remedy_for(name, defined, "add a Cluster document of that name")
                    yield Finding(mesh.tree, ("clusters", at), "is no Cluster document", remedy, shown(name))
        for loc, name in _members(mesh.model):
            if name not in mesh.model.clusters:
                remedy = remedy_for(name, mesh.model.clusters, "add it to `clusters` of the mesh")
                yield Finding(mesh.tree, loc, "is no cluster of the mesh", remedy, shown(name))


def _members(mesh: Mesh) -> Iterator[tuple[Loc, str]]:
    if mesh.federation:
        yield ("federation", "central"), mesh.federation.central
        for at, name in enumerate(mesh.federation.sources):
            yield ("federation", "sources", at), name
    for at, replication in enumerate(mesh.replication):
        yield ("replication", at, "primary"), replication.primary
        for number, name in enumerate(replication.replicas):
            yield ("replication", at, "replicas", number), name


def templates(documents: Documents) -> Iterator[Finding]:
    """`extends` names a template, and never leads back."""
    bases = {read.model.name: read.model.extends for read in documents.templates}
    edges: dict[str, Iterable[str]] = {name: [base] for name, base in bases.items() if base}
    reported: set[str] = set()
    for template in documents.templates:
        base = template.model.extends
        if base is None:
            continue
        if base not in bases and "Template" not in documents.broken:
            others = [name for name in bases if name != template.model.name]
            remedy = remedy_for(base, others, "add a Template document of that name")
            yield Finding(template.tree, ("extends",), "is no Template document", remedy, shown(base))
        ring = cycle(edges, template.model.name)
        if ring and template.model.name not in reported:
            reported.update(ring)
            message = f"leads back to the template itself: {' -> '.join(ring)}"
            yield Finding(template.tree, ("extends",), message, "let one of them extend nothing")
