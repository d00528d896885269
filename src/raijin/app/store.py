"""The definitions of a server: YAML files in one folder, which may be a Git checkout that people edit beside it.

A cluster is read from its own file and the shared ones: those that hold no cluster (a Site, templates). What is
written is checked with everything that it is read with before a file is touched, and replaced in one move.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from raijin.app.stored import ClusterEntry, Contents, Shelf, StoredFile, cluster_entry, hosts_in
from raijin.definition.definition import Definition
from raijin.definition.load import read
from raijin.definition.tree import Tree, read_trees
from raijin.errors import DefinitionError, NotFound, PlanRefused, PreconditionFailed, Problem, UsageError
from raijin.transport.delivery import atomic_write

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(slots=True)
class Store:
    """The folder of definitions. Safe for several threads and processes."""

    folder: Path
    _shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.folder)

    def contents(self) -> Contents:
        """What lies there now; one file is only read again when it has changed."""
        return self._shelf.look()

    def files(self) -> tuple[StoredFile, ...]:
        """Every file, in order of name."""
        return self.contents().files

    def clusters(self) -> tuple[ClusterEntry, ...]:
        """By name."""
        return self.contents().clusters

    def cluster(self, name: str) -> tuple[StoredFile, ClusterEntry]:
        """Raises NotFound."""
        return self.contents().cluster(name)

    def paths(self, cluster: str) -> tuple[Path, ...]:
        """The files that a cluster is read from: the shared ones, then its own. Raises NotFound."""
        found = self.contents()
        return (*(item.path for item in found.shared), found.cluster(cluster)[0].path)

    def file(self, name: str) -> StoredFile:
        """Raises NotFound."""
        found = next((item for item in self.files() if item.name == name), None)
        if found is None:
            raise NotFound(f"there is no definition {name[:64]}", remedy="list the definitions")
        return found

    def unchanged(self, cluster: str, match: str | None) -> None:
        """Raises PreconditionFailed when the file of a cluster has not this etag, NotFound."""
        item = self.cluster(cluster)[0]
        _compare(item, item.name, match=match, fresh=False)

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
        entries = [entry for tree in trees if (entry := cluster_entry(tree.data, path.stem))]
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
        shared = [item.path for item in self.contents().shared]
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
        own = {str(h.get("name")) for t in trees if isinstance(t.data, dict) for h in hosts_in(t.data)}
        taken = {host: other.name for other in others for host in other.hosts}
        faults = [
            Problem(f"nodeGroups: {host}", f"belongs to the cluster {taken[host]} already", "name another", path.name)
            for entry in entries
            for host in entry.hosts
            if host in taken and host in known - own
        ]
        if faults:
            raise DefinitionError(faults)

    def taken(self, cluster: str) -> dict[str, str]:
        """Hosts that this cluster cannot have because others hold them: host -> cluster. Raises NotFound.

        Of shared Sites: a host that its own file defines is nobody else's, whatever others call theirs.
        """
        own = {host["name"] for host in self.cluster(cluster)[0].hosts}
        others = [other for other in self.clusters() if other.name != cluster]
        return {host: other.name for other in others for host in other.hosts if host not in own}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _compare(present: StoredFile | None, name: str, *, match: str | None, fresh: bool) -> None:
    if fresh and present is not None:
        raise PreconditionFailed(f"there is a definition {name} already", remedy="read it, and write with its ETag")
    if match is not None and (present is None or (match not in {"*", present.etag})):
        now = f"it is {present.etag} now" if present else "it is gone"
        raise PreconditionFailed(f"the definition {name} has changed: {now}", remedy="read it again, and repeat")
