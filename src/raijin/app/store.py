"""The definitions of a server: YAML files in one folder, which may be a Git checkout that people edit beside it.

A cluster is read from its own file and the shared ones: those that hold no cluster (a Site, templates). What is
written is checked with everything that it is read with before a file is touched, and replaced in one move.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from raijin.definition.definition import Definition
from raijin.definition.files import files_in
from raijin.definition.load import read
from raijin.definition.problems import remedy_for
from raijin.definition.tree import Tree, read_trees
from raijin.errors import DefinitionError, NotFound, PlanRefused, PreconditionFailed, Problem, UsageError
from raijin.transport.delivery import atomic_write

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


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


@dataclass(slots=True)
class Store:
    """The folder of definitions. Safe for several threads and processes."""

    folder: Path
    _seen: dict[Path, tuple[tuple[int, int, int], StoredFile]] = field(default_factory=dict)
    _mutex: Lock = field(default_factory=Lock)

    def files(self) -> list[StoredFile]:
        """Every file, in order of name; one is only read again when it has changed."""
        if not self.folder.is_dir():
            return []
        with self._mutex:
            found = [self._file(path) for path in files_in(self.folder)]
            self._seen = {item.path: self._seen[item.path] for item in found}
            return found

    def clusters(self) -> list[ClusterEntry]:
        return sorted((c for item in self.files() for c in item.clusters), key=lambda cluster: cluster.name)

    def cluster(self, name: str) -> tuple[StoredFile, ClusterEntry]:
        """Raises NotFound."""
        return _holding(self.files(), name)

    def paths(self, cluster: str) -> tuple[Path, ...]:
        """The files that a cluster is read from: the shared ones, then its own. Raises NotFound."""
        files = self.files()
        own = _holding(files, cluster)[0]
        return (*(item.path for item in files if item.shared), own.path)

    def file(self, name: str) -> StoredFile:
        """Raises NotFound."""
        found = next((item for item in self.files() if item.name == name), None)
        if found is None:
            raise NotFound(f"there is no definition {name[:64]}", remedy="list the definitions")
        return found

    def text(self, name: str) -> tuple[StoredFile, str]:
        item = self.file(name)
        return item, item.path.read_text(encoding="utf-8-sig")

    def write(self, name: str, text: str, *, match: str | None = None, fresh: bool = False) -> StoredFile:
        """Put a file there, or in the place of the one there is, once it is right together with the others.

        match: the etag that the file must have. fresh: there must be none. Raises DefinitionError, PreconditionFailed,
        UsageError for a name that is none.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                "that is no name for a definition", remedy="use up to 63 lower-case letters, digits and '-'"
            )
        with self._writing():
            present = next((item for item in self.files() if item.name == name), None)
            _compare(present, name, match=match, fresh=fresh)
            path = present.path if present else self.folder / f"{name}.yaml"
            self.check(path, text)
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            atomic_write(path, text.encode(), mode=0o600)
        return self.file(name)

    def remove(self, name: str, *, match: str | None = None) -> None:
        """Take a file away. Raises PlanRefused when what is left would not be right without it."""
        with self._writing():
            item = self.file(name)
            _compare(item, name, match=match, fresh=False)
            if item.shared:
                for other in (other for other in self.files() if other.clusters):
                    self._read({item.path: None}, other.path, f"{other.name} needs {name}")
            item.path.unlink()

    def check(self, path: Path, text: str) -> Definition:
        """The definition that a text would make in this file. Raises DefinitionError with all faults."""
        trees, faults = read_trees(text.removeprefix("\ufeff"), path.name)
        if faults:
            raise DefinitionError(faults)
        entries = [entry for tree in trees if (entry := _cluster(tree.data, path.stem))]
        definition = self._read({path: text}, path)
        others = [c for item in self.files() if item.path != path for c in item.clusters]
        self._apart(entries, others, path)
        self._free(entries, others, {host.name for s in definition.sites for host in s.hosts}, trees, path)
        if not entries:  # shared: every cluster is read with it
            for item in self.files():
                if item.clusters and item.path != path:
                    self._read({path: text}, item.path, f"the cluster in {item.name} would be wrong with it")
        return definition

    def _read(self, changes: Mapping[Path, str | None], path: Path, why: str = "") -> Definition:
        """A file with the shared ones, some of them changed or (None) gone."""
        shared = [item.path for item in self.files() if item.shared]
        wanted = [p for p in dict.fromkeys([*shared, *changes, path]) if p != path and changes.get(p, "") is not None]
        texts = [
            (p.name, (changes[p] if p in changes else p.read_text(encoding="utf-8-sig")) or "", True)
            for p in [*wanted, path]
        ]
        try:
            return read([(n, t.removeprefix("\ufeff"), must) for n, t, must in texts], os.environ)
        except DefinitionError as error:
            if why and None in changes.values():
                raise PlanRefused(f"{why}: {error.problems[0]}", remedy="change that one first") from error
            raise

    @staticmethod
    def _apart(entries: list[ClusterEntry], others: list[ClusterEntry], path: Path) -> None:
        """Clusters of other files keep their names to themselves."""
        taken = {other.name: other.definition for other in others}
        faults = [
            Problem("name", f"there is a cluster {e.name} in {taken[e.name]} already", "choose another name", path.name)
            for e in entries
            if e.name in taken
        ]
        if faults:
            raise DefinitionError(faults)

    @staticmethod
    def _free(
        entries: list[ClusterEntry], others: list[ClusterEntry], known: set[str], trees: list[Tree], path: Path
    ) -> None:
        """A host of a shared Site belongs to one cluster, also where another file says so."""
        own = {str(h.get("name")) for t in trees if isinstance(t.data, dict) for h in _hosts(t.data)}
        taken = {host: other.name for other in others for host in other.hosts}
        faults = [
            Problem(f"nodeGroups: {host}", f"belongs to the cluster {taken[host]} already", "name another", path.name)
            for entry in entries
            for host in entry.hosts
            if host in taken and host in known - own
        ]
        if faults:
            raise DefinitionError(faults)

    def placed(self, *, without: str = "") -> dict[str, str]:
        """Hosts that clusters hold: host -> cluster."""
        return {host: c.name for c in self.clusters() if c.name != without for host in c.hosts}

    def _file(self, path: Path) -> StoredFile:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        known = self._seen.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, _parse(path))
            self._seen[path] = known
        return known[1]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _parse(path: Path) -> StoredFile:
    content = path.read_bytes()
    etag = hashlib.sha256(content).hexdigest()[:32]
    try:
        trees, faults = read_trees(content.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        fault = Problem("file", f"is not UTF-8 text (byte {error.start})", "save it as UTF-8", path.name)
        return StoredFile(path.stem, path, etag, (), (), (fault,))
    clusters = tuple(entry for tree in trees if (entry := _cluster(tree.data, path.stem)))
    kinds = tuple("Cluster" if _cluster(t.data, "") else _kind(t.data) for t in trees)
    hosts = tuple(
        {"name": str(host.get("name", "")), "address": str(host.get("address", ""))}
        for tree in trees
        if isinstance(tree.data, dict) and _kind(tree.data).lower() == "site"
        for host in _hosts(tree.data)
    )
    return StoredFile(path.stem, path, etag, kinds, clusters, tuple(faults), hosts)


def _kind(data: object) -> str:
    return str(data.get("kind", "")) if isinstance(data, dict) else ""


def _cluster(data: object, definition: str) -> ClusterEntry | None:
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


def _hosts(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    hosts = data.get("hosts")
    return [host for host in hosts if isinstance(host, dict)] if isinstance(hosts, list) else []


def _holding(files: Sequence[StoredFile], cluster: str) -> tuple[StoredFile, ClusterEntry]:
    known = {c.name: (item, c) for item in files for c in item.clusters}
    if cluster not in known:
        raise NotFound(f"there is no cluster {cluster}", remedy=remedy_for(cluster, list(known), "list the clusters"))
    return known[cluster]


def _compare(present: StoredFile | None, name: str, *, match: str | None, fresh: bool) -> None:
    if fresh and present is not None:
        raise PreconditionFailed(f"there is a definition {name} already", remedy="read it, and write with its ETag")
    if match is not None and (present is None or (match not in {"*", present.etag})):
        now = f"it is {present.etag} now" if present else "it is gone"
        raise PreconditionFailed(f"the definition {name} has changed: {now}", remedy="read it again, and repeat")
