"""What lies in the folder of definitions, as lists need it: read once, and again only where a file has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

from raijin.definition.files import is_definition
from raijin.definition.problems import remedy_for
from raijin.definition.tree import read_trees
from raijin.errors import NotFound, Problem

T = TypeVar("T")
Stamp = tuple[int, int, int]
"""Of a file: when it was written (ns), its size, its inode. One that was replaced in one move has another inode."""


@dataclass(frozen=True, slots=True)
class ClusterEntry:
    """What a list says of a cluster, taken from its document as it stands. nodes: by role."""

    name: str
    type: str
    version: str
    nodes: Mapping[str, int]
    definition: str
    hosts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        count = sum(self.nodes.values())
        return {
            "name": self.name, "type": self.type, "version": self.version, "nodes": dict(self.nodes), "size": count,
            "definition": self.definition,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: name without its suffix; etag: from its content; kinds: of its documents, in order."""

    name: str
    path: Path
    etag: str
    kinds: tuple[str, ...]
    clusters: tuple[ClusterEntry, ...]
    faults: tuple[Problem, ...] = ()
    hosts: tuple[Mapping[str, str], ...] = ()

    @property
    def shared(self) -> bool:
        """Read with every cluster."""
        return not self.clusters and not self.faults

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "file": self.path.name, "etag": self.etag, "kinds": list(self.kinds),
            "clusters": [cluster.name for cluster in self.clusters],
            "faults": [fault.to_json() for fault in self.faults],
        }  # fmt: skip


@dataclass
class Contents:
    """All files at one moment, by name; what is computed from them is kept as long as they stay as they are."""

    files: tuple[StoredFile, ...] = ()
    _kept: dict[str, object] = field(default_factory=dict)

    @cached_property
    def clusters(self) -> tuple[ClusterEntry, ...]:
        return tuple(sorted((c for item in self.files for c in item.clusters), key=lambda cluster: cluster.name))

    @cached_property
    def shared(self) -> tuple[StoredFile, ...]:
        return tuple(item for item in self.files if item.shared)

    @cached_property
    def _holders(self) -> dict[str, tuple[StoredFile, ClusterEntry]]:
        return {c.name: (item, c) for item in self.files for c in item.clusters}

    def has(self, name: str) -> bool:
        return name in self._holders

    def cluster(self, name: str) -> tuple[StoredFile, ClusterEntry]:
        """The file that a cluster is in. Raises NotFound."""
        if name not in self._holders:
            remedy = remedy_for(name, list(self._holders), "list the clusters")
            raise NotFound(f"there is no cluster {name}", remedy=remedy)
        return self._holders[name]

    @cached_property
    def hosts(self) -> tuple[dict[str, str], ...]:
        """Hosts of all Sites by definition and name, each with the cluster that holds it."""
        shared = [item.name for item in self.shared]
        placed: dict[tuple[str, str], str] = {}
        for entry in self.clusters:
            placed |= {(place, host): entry.name for host in entry.hosts for place in (entry.definition, *shared)}
        rows = [
            {**host, "definition": item.name, "cluster": placed.get((item.name, host["name"]), "")}
            | {"key": f"{item.name}/{host['name']}"}
            for item in self.files
            for host in item.hosts
        ]
        return tuple(sorted(rows, key=lambda row: row["key"]))

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What `make` computes from these files, computed once."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast("T", self._kept[name])


@dataclass(slots=True)
class Shelf:
    """Looks at a folder: each time at the stamps of its files, and into those whose stamp is another one."""

    folder: Path
    _stamps: dict[str, Stamp] = field(default_factory=dict)
    _contents: Contents = field(default_factory=Contents)
    _mutex: Lock = field(default_factory=Lock)

    def look(self) -> Contents:
        """As it is now: the same object as long as no file has changed, come or gone."""
        with self._mutex:
            stamps = self._look()
            if stamps != self._stamps:
                known = {item.path.name: item for item in self._contents.files}
                same = {name for name, stamp in stamps.items() if self._stamps.get(name) == stamp}
                files = [known[name] if name in same else _parse(self.folder / name) for name in stamps]
                self._stamps, self._contents = stamps, Contents(tuple(files))
            return self._contents

    def _look(self) -> dict[str, Stamp]:
        if not self.folder.is_dir():
            return {}
        found: dict[str, Stamp] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if is_definition(entry.name) and entry.is_file():
                    stat = entry.stat()
                    found[entry.name] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return dict(sorted(found.items()))


def etag_of(content: bytes) -> str:
    """Of a file with this content."""
    return hashlib.sha256(content).hexdigest()[:32]


def _parse(path: Path) -> StoredFile:
    content = path.read_bytes()
    etag = etag_of(content)
    try:
        trees, faults = read_trees(content.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        fault = Problem("file", f"is not UTF-8 text (byte {error.start})", "save it as UTF-8", path.name)
        return StoredFile(path.stem, path, etag, (), (), (fault,))
    clusters = tuple(entry for tree in trees if (entry := cluster_entry(tree.data, path.stem)))
    kinds = tuple("Cluster" if cluster_entry(t.data, "") else _kind(t.data) for t in trees)
    hosts = tuple(
        {"name": str(host.get("name", "")), "address": str(host.get("address", ""))}
        for tree in trees
        if isinstance(tree.data, dict) and _kind(tree.data).lower() == "site"
        for host in hosts_in(tree.data)
    )
    return StoredFile(path.stem, path, etag, kinds, clusters, tuple(faults), hosts)


def _kind(data: object) -> str:
    return str(data.get("kind", "")) if isinstance(data, dict) else ""


def cluster_entry(data: object, definition: str) -> ClusterEntry | None:
    if not isinstance(data, dict) or (
        _kind(data).lower() != "cluster" and ("kind" in data or "nodeGroups" not in data)
    ):
        return None
    nodes: dict[str, int] = {}
    hosts: list[str] = []
    groups = data.get("nodeGroups")
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, dict):
            named, count = group.get("hosts"), group.get("count")
            mine = [str(name) for name in named] if isinstance(named, list) else []
            role = str(group.get("role", "")).upper()
            nodes[role] = nodes.get(role, 0) + (count if isinstance(count, int) else len(mine))
            hosts += mine
    name, kind, version = (str(data.get(key, "")) for key in ("name", "type", "version"))
    return ClusterEntry(name, kind, version, nodes, definition, tuple(hosts))


def hosts_in(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    hosts = data.get("hosts")
    return [host for host in hosts if isinstance(host, dict)] if isinstance(hosts, list) else []
