"""Reading a definition: files, a folder or a stream -> `Definition`, or every problem at once.

text --tree--> data with positions --model--> documents --checks--> Definition
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from raijin.definition.checks import CHECKS, Documents
from raijin.definition.checks.base import Read
from raijin.definition.definition import Definition, Placed, Source
from raijin.definition.environment import read_environment
from raijin.definition.files import definition_files, files_in
from raijin.definition.problems import problems_of, remedy_for, shown
from raijin.definition.tree import Tree, read_trees
from raijin.errors import DefinitionError, Problem
from raijin.model.cluster import Cluster
from raijin.model.mesh import Mesh
from raijin.model.site import Site
from raijin.model.template import Template

__all__ = ["Definition", "Placed", "Source", "load", "read"]

KINDS: dict[str, type[Site | Cluster | Mesh | Template]] = {
    "Site": Site,
    "Cluster": Cluster,
    "Mesh": Mesh,
    "Template": Template,
}


def load(source: Path | Sequence[Path] | TextIO, environment: Mapping[str, str] | None = None) -> Definition:
    """Read files, folders (their *.yaml, *.yml and *.json, in order of name) or an open text stream.

    `environment` holds the RAIJIN_* variables that override the definition; default: those of this process.
    Raises DefinitionError with every problem that was found.
    """
    problems: list[Problem] = []
    if isinstance(source, Path):
        source = [source]
    if isinstance(source, Sequence):
        texts = list(_read_files(source, problems))
    else:
        texts = [(str(getattr(source, "name", "<stream>")), source.read(), True)]
    return read(texts, os.environ if environment is None else environment, problems)


def read(
    texts: Iterable[tuple[str, str, bool]],
    environment: Mapping[str, str],
    problems: Iterable[Problem] = (),
) -> Definition:
    """The definition in some texts, each with its file name and whether it must hold a document."""
    found = list(problems)
    overrides, warnings = read_environment(environment)
    trees: list[Tree] = []
    for file, text, must in texts:
        read_here, wrong = read_trees(text, file)
        trees += read_here
        found += wrong
        if must and not read_here and not wrong:
            found.append(Problem("document", "the file is empty", "start with `raijin init`", file))
    documents, sources = _documents(trees, found)
    findings = [finding for check in CHECKS for finding in check(documents)]
    found += [finding.problem() for finding in findings if not finding.warning]
    sites = tuple(site.model for site in documents.sites)
    found += overrides.problems(sites[0] if sites else None)
    if found:
        raise DefinitionError(_in_order(found))
    return Definition(
        sites=sites,
        clusters=tuple(cluster.model for cluster in documents.clusters),
        meshes=tuple(mesh.model for mesh in documents.meshes),
        templates=tuple(template.model for template in documents.templates),
        sources=tuple(sources),
        warnings=(*warnings, *_in_order(finding.problem() for finding in findings)),
        overrides=overrides,
    )


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """As a reader meets them: file by file in the order they were read, top to bottom."""
    listed = list(problems)
    files = {problem.file: at for at, problem in reversed(list(enumerate(listed)))}
    return sorted(listed, key=lambda problem: (files[problem.file], problem.line, problem.column))


def _read_files(paths: Sequence[Path], problems: list[Problem]) -> Iterable[tuple[str, str, bool]]:
    for path in paths:
        if path.is_dir() and not files_in(path):
            remedy = "name a folder with .yaml, .yml or .json files"
            problems.append(Problem("folder", "holds no definition", remedy, str(path)))
        for file in definition_files([path]):
            try:
                # A folder may hold a file of comments only; a file that was named may not be empty.
                yield str(file), file.read_text(encoding="utf-8-sig"), not path.is_dir()
            except UnicodeDecodeError as error:
                message = f"is not UTF-8 text (byte {error.start})"
                problems.append(Problem("file", message, "save it as UTF-8", str(file)))
            except FileNotFoundError:
                problems.append(Problem("file", "does not exist", "check the path, or run `raijin init`", str(file)))
            except OSError as error:
                message = f"cannot be read: {error.strerror}"
                problems.append(Problem("file", message, "make it readable for you", str(file)))


def _documents(trees: Sequence[Tree], problems: list[Problem]) -> tuple[Documents, list[Source]]:
    reads: dict[str, list[Read[Any]]] = {kind: [] for kind in KINDS}
    # A text that could not be read may have held any kind.
    broken = set(KINDS) if problems else set[str]()
    sources: list[Source] = []
    for tree in trees:
        kind = kind_of(tree, problems)
        if kind is None:
            broken.update(KINDS)  # it might be any of them
            continue
        try:
            model = KINDS[kind].model_validate(_body(tree, kind))
        except ValidationError as error:
            broken.add(kind)
            problems += problems_of(error, tree, KINDS[kind])
        else:
            reads[kind].append(Read(model, tree))
            sources.append(Source(tree.file, tree.index, kind, model.name))
    site, cluster, mesh, template = (tuple(reads[kind]) for kind in KINDS)
    return Documents(site, cluster, mesh, template, frozenset(broken)), sources


def _body(tree: Tree, kind: str) -> object:
    data = tree.data
    if isinstance(data, dict) and data.get("kind", kind) != kind:
        return data | {"kind": kind}
    return data


def kind_of(tree: Tree, problems: list[Problem]) -> str | None:
    """The kind of a document. A ClusterDefinition needs to name none: it is known by its node groups."""
    data = tree.data
    if not isinstance(data, dict):
        what = "a list" if isinstance(data, list) else "a single value"
        remedy = "start the document with `kind: Cluster` or `kind: Site`"
        problems.append(tree.problem((), f"is {what}, not a mapping", remedy))
        return None
    if "kind" not in data:
        if "nodeGroups" in data:
            return "Cluster"
        guess = "Site" if "hosts" in data else "Cluster"
        problems.append(tree.problem((), "says no kind", f"add `kind: {guess}` as its first line"))
        return None
    word = str(data["kind"])
    kind = next((kind for kind in KINDS if kind.lower() == word.lower()), None)
    if kind is None:
        remedy = remedy_for(word, list(KINDS), "use Site, Cluster, Mesh or Template")
        problems.append(tree.problem(("kind",), "is not a known kind", remedy, value=shown(data["kind"])))
    return kind
