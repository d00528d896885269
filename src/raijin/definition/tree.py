"""YAML (and so JSON) text -> plain data that remembers where each value stands.

libyaml composes nodes with marks in C, many times faster than any loader in Python; plain scalars are then read by the
rules of YAML 1.2, so `no` is a word and `12:30` is not a number. Positions are looked up in the nodes only when a
message needs one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from raijin.errors import Problem
from raijin.model.secret import SecretReference

Loc = tuple[str | int, ...]

MAX_DEPTH = 100
MAX_NODES = 2_000_000
"""What aliases may expand to. A file of ten thousand hosts has about a tenth of it."""

_PLAIN, _TEXT, _COLLECTION = "plain", "text", "collection"
_STR_TAGS = (_TEXT, "!", "tag:yaml.org,2002:str")
_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_BASED = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)(?:[eE][-+]?[0-9]+)?")

_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)

_REMEDIES = {
    "found character that cannot start any token": "put the value in quotes",
    "mapping values are not allowed in this context": "put a value with a colon in quotes, or correct the indentation",
    "could not find expected ':'": "write `key: value`, with a space after the colon",
    "did not find expected key": "indent the keys of one mapping alike",
    "did not find expected '-' indicator": "indent the items of one list alike",
    "did not find expected ',' or ']'": "close the list with ]",
    "did not find expected ',' or '}'": "close the mapping with }",
    "found unexpected end of stream": "close the quotes",
    "found undefined alias": "define the anchor with & before it is used with *",
}


class _TooDeep(Exception):
    pass


class _Composer(CParser):
    """libyaml's composer. It asks for the tag of each scalar; ours only says whether it was quoted."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _TEXT
        return _COLLECTION

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeep

    def ascend_resolver(self) -> None:
        self._depth -= 1


@dataclass(frozen=True, slots=True)
class Tree:
    """One document: its data, and the nodes that know where each value stands."""

    data: object
    root: Node
    file: str
    index: int

    def find(self, loc: Sequence[str | int]) -> tuple[Loc, Node]:
        """The deepest node on the way to `loc`, and how far the way went."""
        node, done = self.root, 0
        for step in loc:
            below = _child(node, step)
            if below is None:
                break
            node, done = below, done + 1
        return tuple(loc[:done]), node

    def place(self, loc: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at `loc`, or of its key; else of what is nearest above it."""
        reached, node = self.find(loc)
        if key and loc and len(reached) == len(loc):
            owner = self.find(loc[:-1])[1]
            node = next((name for name, value in _pairs(owner) if name.value == loc[-1] and value is node), node)
        return node.start_mark.line + 1, node.start_mark.column + 1

    def text(self, loc: Sequence[str | int]) -> str | None:
        """A scalar as it was written, before it became a number or a boolean."""
        reached, node = self.find(loc)
        return node.value if len(reached) == len(loc) and isinstance(node, ScalarNode) else None

    def problem(
        self, loc: Sequence[str | int], message: str, remedy: str = "", *, value: str = "", key: bool = False
    ) -> Problem:
        line, column = self.place(loc, key=key)
        return Problem(dotted(loc), message, remedy, self.file, line, column, value)


def dotted(loc: Sequence[str | int]) -> str:
    """`("nodeGroups", 1, "hosts", 0)` -> `nodeGroups[1].hosts[0]`."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text or "document"


def read_trees(text: str, file: str) -> tuple[list[Tree], list[Problem]]:
    """Every document of a text. After a syntax error nothing further can be read, so it is the last problem."""
    trees: list[Tree] = []
    problems: list[Problem] = []
    try:
        composer = _Composer(_without_surrogates(text.removeprefix("\ufeff")))
        index = 0
        while composer.check_node():
            root = composer.get_node()
            if root is not None and not _is_empty(root):
                tree, wrong = _tree(root, file, index, aliases="*" in text)
                problems += wrong
                trees += [] if wrong else [tree]
            index += 1
    except yaml.YAMLError as error:
        problems.append(_syntax_problem(error, file, text))
    except _TooDeep:
        message = f"is nested more than {MAX_DEPTH} levels deep"
        problems.append(Problem("syntax", message, "flatten it: no definition needs that", file))
    return trees, problems


def _without_surrogates(text: str) -> str:
    """JSON may write a character beyond U+FFFF as two escapes, which YAML has not."""
    if not text.startswith(("{", "[")) or "\\ud" not in text.lower():
        return text

    def joined(match: re.Match[str]) -> str:
        high, low = int(match[2], 16), int(match[3], 16)
        return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return _SURROGATES.sub(joined, text)


def _tree(root: Node, file: str, index: int, *, aliases: bool) -> tuple[Tree, list[Problem]]:
    if aliases and not _is_tame(root):
        message = "has aliases that contain themselves or grow beyond measure"
        return Tree(None, root, file, index), [Problem("syntax", message, "write the values out", file)]
    builder = _Builder(file)
    data = builder.build(root, ())
    return Tree(data, root, file, index), builder.problems


class _Builder:
    """Nodes -> data. Keeps going at a fault, so that all of them are reported."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def build(self, node: Node, loc: Loc) -> object:
        if isinstance(node, ScalarNode):
            if node.tag == _PLAIN:
                return read_plain(node.value)
            return node.value if node.tag in _STR_TAGS else self._tagged(node, loc)
        if node.tag != _COLLECTION and not node.tag.startswith("tag:yaml.org,2002:"):
            self._unknown_tag(node, loc)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*loc, at)) for at, item in enumerate(node.value)]
        return self._mapping(node, loc)

    def _mapping(self, node: Node, loc: Loc) -> dict[str, object]:
        data: dict[str, object] = {}
        merged: dict[str, object] = {}
        for name, value in node.value:
            if not isinstance(name, ScalarNode):
                self._report(name, loc, "a key must be text", "write one word before the colon")
            elif name.value == "<<" and name.tag == _PLAIN:
                merged = self._merge(value, loc) | merged
            elif name.value in data:
                self._report(name, (*loc, name.value), "is given twice", "keep one of the two")
            else:
                data[name.value] = self.build(value, (*loc, name.value))
        return merged | data if merged else data

    def _merge(self, node: Node, loc: Loc) -> dict[str, object]:
        """What `<<` brings in; of several, the first wins."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, object] = {}
        for source in sources:
            if isinstance(source, MappingNode):
                merged = self._mapping(source, loc) | merged
            else:
                self._report(source, (*loc, "<<"), "merges something that is no mapping", "merge a mapping: <<: *name")
        return merged

    def _tagged(self, node: ScalarNode, loc: Loc) -> object:
        if node.tag in ("!vault", "!vault-encrypted"):
            return SecretReference(SecretReference.ANSIBLE, node.value.strip())
        if node.tag.startswith("tag:yaml.org,2002:"):  # !!int and the like say what the scalar rules find anyway
            return read_plain(node.value)
        self._unknown_tag(node, loc)
        return None

    def _unknown_tag(self, node: Node, loc: Loc) -> None:
        self._report(node, loc, f"has the unknown tag {node.tag}", "remove the tag; only !vault is read")

    def _report(self, node: Node, loc: Loc, message: str, remedy: str) -> None:
        mark = node.start_mark
        self.problems.append(Problem(dotted(loc), message, remedy, self.file, mark.line + 1, mark.column + 1))


def read_plain(text: str) -> object:
    """An unquoted scalar by the core schema of YAML 1.2. Numbers with leading zeros stay text: they are codes."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in "0123456789+-.":
        if _INTEGER.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    """The pairs of a mapping node: its own, then those it merges in."""
    if not isinstance(node, MappingNode):
        return
    merges: list[Node] = []
    for name, value in node.value:
        if name.value == "<<" and name.tag == _PLAIN:
            merges.extend(value.value if isinstance(value, SequenceNode) else [value])
        else:
            yield name, value
    for source in merges:
        yield from _pairs(source)


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(step, int):
        inside = isinstance(node, SequenceNode) and step < len(node.value)
        return node.value[step] if inside else None
    return next((value for name, value in _pairs(node) if name.value == step), None)


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _PLAIN and read_plain(node.value) is None


def _is_tame(root: Node) -> bool:
    """Whether aliases expand to a bounded tree: no node inside itself, not too many in all."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Node) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        if isinstance(node, ScalarNode):
            return 1
        if id(node) in open_nodes:
            return MAX_NODES + 1
        open_nodes.add(id(node))
        parts = node.value if isinstance(node, SequenceNode) else [part for pair in node.value for part in pair]
        total = 1 + sum(size(part) for part in parts)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        return total

    return size(root) <= MAX_NODES


def _syntax_problem(error: yaml.YAMLError, file: str, text: str) -> Problem:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        message = str(getattr(error, "reason", None) or "is not text that YAML allows").replace("\n", " ")
        return Problem("syntax", message, "save the file as UTF-8 text without control characters", file)
    mark = error.problem_mark
    message = str(error.problem)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    remedy = _REMEDIES.get(message, "correct the YAML here")
    if "\t" in line[: mark.column + 1] and "token" in message:
        message, remedy = "a tab stands where YAML wants spaces", "indent with spaces"
    return Problem("syntax", message, remedy, file, mark.line + 1, mark.column + 1)
