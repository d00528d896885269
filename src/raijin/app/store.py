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
        path = self.place(name)
        with self._writing():
            present = next((item for item in self.files() if item.name == name), None)
            _compare(present, name, match=match, fresh=fresh)
            self.check(path, text)
            atomic_write(path, text.encode(), mode=0o600)
        return self.file(name)

    def write_together(self, texts: Mapping[str, str], matches: Mapping[str, str]) -> list[StoredFile]:
        """The same for several files, which may need each other. matches: the etag of each that is there already.

        All of them are checked together before the first one is written.
        """
        places = {name: self.place(name) for name in texts}
        with self._writing():
            present = {item.name: item for item in self.files()}
            for name in texts:
                _compare(present.get(name), name, match=matches.get(name), fresh=name not in matches)
            self.check_together({places[name]: text for name, text in texts.items()})
            for name, text in texts.items():
                atomic_write(places[name], text.encode(), mode=0o600)
        return [self.file(name) for name in texts]

    def place(self, name: str) -> Path:
        """Where the file of this name is, or would be. Raises UsageError for a name that is none."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                "that is no name for a definition", remedy="use up to 63 lower-case letters, digits and '-'"
            )
        return next((item.path for item in self.files() if item.name == name), self.folder / f"{name}.yaml")

    def draft(self, cluster: str, texts: Mapping[str, str]) -> tuple[Definition, tuple[Path, ...]]:
        """What a cluster would be with these files, and the files that it would be read from. Writes nothing.

        Raises DefinitionError with all faults, NotFound when neither they nor the store have the cluster.
        """
        changes = {self.place(name): text for name, text in texts.items()}
        self.check_together(changes)
        holders = {path: _clusters_in(path, text) for path, text in changes.items()}
        own = next((path for path, names in holders.items() if cluster in names), None)
        own = own or self.cluster(cluster)[0].path
        shared = {item.path for item in self.contents().shared if not holders.get(item.path)}
        shared |= {path for path, names in holders.items() if not names}
        paths = (*sorted(shared, key=lambda path: path.name), own)
        said = [(p.name, changes[p] if p in changes else p.read_text(encoding="utf-8-sig")) for p in paths]
        return read([(n, t.removeprefix("\ufeff"), True) for n, t in said], os.environ), paths

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
        return self.check_together({path: text})[path]

    def check_together(self, changes: Mapping[Path, str]) -> dict[Path, Definition]:
        """The definition that each of these texts would make in its file, were all of them there. Raises
        DefinitionError with all faults of the first that is wrong."""
        read = {path: read_trees(text.removeprefix("\ufeff"), path.name) for path, text in changes.items()}
        if faults := [fault for _, found in read.values() for fault in found]:
            raise DefinitionError(faults)
        entries = {
            path: [e for t in trees if (e := cluster_entry(t.data, path.stem))] for path, (trees, _) in read.items()
        }
        shared = {path: changes[path] for path, found in entries.items() if not found}
        definitions: dict[Path, Definition] = {}
        for path, (trees, _) in read.items():
            definition = definitions[path] = self._read({**shared, path: changes[path]}, path)
            others = [c for item in self.files() if item.path not in changes for c in item.clusters]
            others += [c for other, found in entries.items() if other != path for c in found]
            self._apart(entries[path], others, path)
            self._free(entries[path], others, {h.name for s in definition.sites for h in s.hosts}, trees, path)
        for item in self.files() if shared else ():  # every cluster is read with what is shared
            if item.clusters and item.path not in changes:
                self._read(shared, item.path, f"the cluster in {item.name} would be wrong with it")
        return definitions

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


def _clusters_in(path: Path, text: str) -> set[str]:
    trees, _ = read_trees(text.removeprefix("\ufeff"), path.name)
    return {entry.name for tree in trees if (entry := cluster_entry(tree.data, path.stem))}


def _compare(present: StoredFile | None, name: str, *, match: str | None, fresh: bool) -> None:
    if fresh and present is not None:
        raise PreconditionFailed(f"there is a definition {name} already", remedy="read it, and write with its ETag")
    if match is not None and (present is None or (match not in {"*", present.etag})):
        now = f"it is {present.etag} now" if present else "it is gone"
        raise PreconditionFailed(f"the definition {name} has changed: {now}", remedy="read it again, and repeat")
