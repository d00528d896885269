"""Changing definition files the way their author would: the lines that must change, and no other.

    edits = Edits([Path("cluster.yaml")])
    edits.add_host({"name": "w3", "address": "192.0.2.23"})
    edits.add_to_group("w3", group="workers")
    definition = edits.save()

Several changes are checked and saved together, because a definition may be wrong between two of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from raijin.definition.definition import Definition
from raijin.definition.files import definition_files
from raijin.definition.load import kind_of, load, read
from raijin.definition.problems import remedy_for
from raijin.definition.splice import Text, changed
from raijin.definition.tree import Loc, Tree, read_trees
from raijin.errors import DefinitionError, EditRefused, NotFound, Problem, StalePlan, UsageError
from raijin.model.base import listed

_BOM = "\ufeff"


class Edits:
    """Changes to the files of one definition, kept in memory until `save`."""

    def __init__(self, paths: Sequence[Path], environment: Mapping[str, str] | None = None) -> None:
        load(list(paths), environment)  # only a definition that is right can be changed safely
        self._environment = environment
        self._original = {path: path.read_bytes() for path in definition_files(paths)}
        self._texts = {path: raw.decode("utf-8") for path, raw in self._original.items()}

    @property
    def texts(self) -> dict[Path, str]:
        """The files that have changed, with their new text."""
        return {path: text for path, text in self._texts.items() if text.encode() != self._original[path]}

    def before(self, path: Path) -> bytes:
        """What stood in a file when it was read."""
        return self._original[path]

    def add_host(self, host: Mapping[str, object], *, site: str | None = None) -> None:
        """Add a host to a Site: the one of that name, or the only one."""
        path, tree = self._document("Site", site)
        name = str(host.get("name", ""))
        if any(item.get("name") == name for item in _items(tree, ("hosts",))):
            raise UsageError(f"host {name} is already defined", remedy="choose another name")
        self._append(path, tree, ("hosts",), dict(host))

    def remove_host(self, name: str) -> None:
        """Remove a host from its Site and from every group that names it."""
        for path, tree in self._documents("Cluster"):
            for at in range(len(_items(tree, ("nodeGroups",)))):
                if name in _list(tree, ("nodeGroups", at, "hosts")):
                    self._leave(path, self._again(path, tree), ("nodeGroups", at), name)
        for path, tree in self._documents("Site"):
            names = [item.get("name") for item in _items(tree, ("hosts",))]
            if name in names:
                self._remove(path, tree, ("hosts",), names.index(name))
                return
        known = [str(host.get("name")) for _, tree in self._documents("Site") for host in _items(tree, ("hosts",))]
        raise NotFound(f"no host {name} is defined", remedy=remedy_for(name, known, "look at the Site documents"))

    def add_group(self, group: Mapping[str, object], *, cluster: str | None = None) -> None:
        """Add a node group to a Cluster: the one of that name, or the only one."""
        path, tree = self._document("Cluster", cluster)
        name = group.get("name")
        if any(item.get("name") == name for item in _items(tree, ("nodeGroups",))):
            raise UsageError(f"the cluster already has a node group {name}", remedy="choose another name")
        self._append(path, tree, ("nodeGroups",), dict(group))

    def add_to_group(self, host: str, *, group: str, cluster: str | None = None) -> None:
        """Put a host at the end of a node group; a `count` beside the hosts is kept right."""
        path, tree = self._document("Cluster", cluster)
        loc = self._group(tree, group)
        hosts = _list(tree, (*loc, "hosts"))
        if host in hosts:
            raise UsageError(f"host {host} is already in group {group}", remedy="there is nothing to add")
        count = _at(tree, (*loc, "count"))
        self._append(path, tree, (*loc, "hosts"), host)
        if isinstance(count, int):
            self._set(path, self._again(path, tree), (*loc, "count"), len(hosts) + 1)

    def remove_from_group(self, host: str, *, group: str, cluster: str | None = None) -> None:
        """Take a host out of a node group. The host stays in its Site."""
        path, tree = self._document("Cluster", cluster)
        loc = self._group(tree, group)
        if host not in _list(tree, (*loc, "hosts")):
            raise NotFound(f"host {host} is not in group {group}", remedy="look at the `hosts` of the group")
        self._leave(path, tree, loc, host)

    def set_value(self, kind: str, name: str | None, loc: Loc, value: object) -> None:
        """Set one value of a document, as in `set_value("Cluster", "prod", ("version",), "v1.34.2")`."""
        path, tree = self._document(kind, name)
        self._set(path, tree, loc, value)

    def check(self) -> Definition:
        """The definition as it would be. Raises DefinitionError with what the changes make wrong."""
        texts = [(str(path), text.removeprefix(_BOM), False) for path, text in self._texts.items()]
        return read(texts, os.environ if self._environment is None else self._environment)

    def save(self) -> Definition:
        """Check, then replace each changed file in one move; its mode stays. Raises StalePlan if one has moved on."""
        definition = self.check()
        changes = self.texts
        for path in changes:
            if path.read_bytes() != self._original[path]:
                raise StalePlan(f"{path} was changed by somebody else", remedy="run the command again")
        for path, text in changes.items():
            _replace_file(path, text.encode())
            self._original[path] = text.encode()
        return definition

    def _leave(self, path: Path, tree: Tree, loc: Loc, host: str) -> None:
        hosts = _list(tree, (*loc, "hosts"))
        count = _at(tree, (*loc, "count"))
        self._remove(path, tree, (*loc, "hosts"), hosts.index(host))
        if isinstance(count, int):
            self._set(path, self._again(path, tree), (*loc, "count"), len(hosts) - 1)

    def _append(self, path: Path, tree: Tree, loc: Loc, value: object) -> None:
        items = _list(tree, loc)
        self._accept(path, tree, self._text(path, tree).append(loc, value), changed(tree.data, loc, [*items, value]))

    def _remove(self, path: Path, tree: Tree, loc: Loc, at: int) -> None:
        items = _list(tree, loc)
        wanted = changed(tree.data, loc, [*items[:at], *items[at + 1 :]])
        self._accept(path, tree, self._text(path, tree).remove(loc, at), wanted)

    def _set(self, path: Path, tree: Tree, loc: Loc, value: object) -> None:
        if not loc:
            raise UsageError("a value needs a path", remedy="name the field, as in version")
        if _at(tree, loc) == value:
            return
        self._accept(path, tree, self._text(path, tree).set(loc, value), changed(tree.data, loc, value))

    def _accept(self, path: Path, tree: Tree, body: str, wanted: object) -> None:
        """Take the new text if it says exactly what was meant, and every other document says what it said."""
        before = {item.index: item.data for item in self._trees(path)}
        after, problems = read_trees(body, str(path))
        if problems or {item.index: item.data for item in after} != before | {tree.index: wanted}:
            raise EditRefused(
                f"{path} is written in a way that cannot be changed automatically", remedy="edit it by hand"
            )
        bom = _BOM if self._texts[path].startswith(_BOM) else ""
        self._texts[path] = bom + body

    def _text(self, path: Path, tree: Tree) -> Text:
        return Text(self._texts[path].removeprefix(_BOM), tree, json_only=path.suffix == ".json")

    def _trees(self, path: Path) -> list[Tree]:
        trees, problems = read_trees(self._texts[path].removeprefix(_BOM), str(path))
        if problems:
            raise DefinitionError(problems)
        return trees

    def _again(self, path: Path, tree: Tree) -> Tree:
        """The same document after a change of its file."""
        return next(item for item in self._trees(path) if item.index == tree.index)

    def _documents(self, kind: str) -> list[tuple[Path, Tree]]:
        ignored: list[Problem] = []
        trees = [(path, tree) for path in self._texts for tree in self._trees(path)]
        return [(path, tree) for path, tree in trees if kind_of(tree, ignored) == kind]

    def _document(self, kind: str, name: str | None) -> tuple[Path, Tree]:
        found = self._documents(kind)
        names = [str(_at(tree, ("name",)) or kind.lower()) for _, tree in found]
        if name is None and len(found) == 1:
            return found[0]
        if name is None and found:
            raise UsageError(f"the definition has {len(found)} {kind} documents", remedy=f"name one: {listed(names)}")
        if name not in names:
            remedy = remedy_for(name or "", names, f"add a document with `kind: {kind}`")
            raise NotFound(f"no {kind} {name} is defined" if name else f"no {kind} is defined", remedy=remedy)
        return found[names.index(name)]

    @staticmethod
    def _group(tree: Tree, name: str) -> Loc:
        names = [str(group.get("name")) for group in _items(tree, ("nodeGroups",))]
        if name not in names:
            remedy = remedy_for(name, names, f"the cluster has {listed(names)}")
            raise NotFound(f"the cluster has no node group {name}", remedy=remedy)
        return ("nodeGroups", names.index(name))


def _at(tree: Tree, loc: Loc) -> object:
    data = tree.data
    for step in loc:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _list(tree: Tree, loc: Loc) -> list[object]:
    """The list at a place; one that is missing or says nothing is empty."""
    items = _at(tree, loc)
    return items if isinstance(items, list) else []


def _items(tree: Tree, loc: Loc) -> list[dict[str, object]]:
    return [item for item in _list(tree, loc) if isinstance(item, dict)]


def _replace_file(path: Path, content: bytes) -> None:
    """Written beside, synced, renamed over it. A link stays a link: what it points to is replaced."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
