"""Changing a YAML or JSON text at one place, so that every other byte stays as its author left it.

The nodes of a tree know the offsets of what they stand for. A change is a few splices (from, to, new text); whether it
did what was meant is checked by who asked (`edit`), who reads the result again. What cannot be done well is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from raijin.definition import render
from raijin.definition.tree import Loc, Tree
from raijin.errors import EditRefused

Splice = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Text:
    """A text with one document of it."""

    text: str
    tree: Tree
    json_only: bool = False

    def append(self, loc: Loc, value: object) -> str:
        """The text with one more item at the end of the list at `loc`, which is made if it is not there."""
        reached, node = self.tree.find(loc)
        if len(reached) < len(loc):
            return self.set(loc, [value])
        if isinstance(node, SequenceNode):
            self._own(loc, node)
            if node.flow_style:
                return self._append_flow(loc, node, value)
            return self._append_block(node, value)
        if isinstance(node, ScalarNode) and node.value in ("", "~", "null"):
            return self.set(loc, [value])
        raise self._refuse(loc, "is not a list")

    def remove(self, loc: Loc, at: int) -> str:
        """The text without item `at` of the list at `loc`."""
        node = self.tree.find(loc)[1]
        if not isinstance(node, SequenceNode) or at >= len(node.value):
            raise self._refuse(loc, "is not a list of that length")
        self._own(loc, node)
        return self._remove_flow(node, at) if node.flow_style else self._remove_block(loc, node, at)

    def set(self, loc: Loc, value: object) -> str:
        """The text with the scalar at `loc` replaced, or with the key added."""
        reached, node = self.tree.find(loc)
        if len(reached) == len(loc):
            return self._replace(loc, node, value)
        if not isinstance(loc[len(reached)], str):
            raise self._refuse(loc, "has no such item")
        for key in reversed(loc[len(reached) + 1 :]):
            value = {key: value}
        if isinstance(node, ScalarNode):  # a key that is there and says nothing
            return self._replace(reached, node, {loc[len(reached)]: value})
        if not isinstance(node, MappingNode):
            raise self._refuse(reached, "is not a mapping")
        self._own(reached, node)
        return self._add_key(node, str(loc[len(reached)]), value)

    # Lists

    def _append_block(self, node: SequenceNode, value: object) -> str:
        column, last = node.start_mark.column, node.value[-1]
        dash = self._dashes(node)[-1]
        inner = last.start_mark.column - column if self._within(last, dash, node.end_mark.index) else 2
        plain = isinstance(last, MappingNode) and last.flow_style
        text = render.flow(value) if plain else render.block(value, column + max(inner, 2))
        gap = " " * (max(inner, 2) - 1)
        return self._line_after(self._end(node), f"{' ' * column}-{gap}{text}")

    def _append_flow(self, loc: Loc, node: SequenceNode, value: object) -> str:
        text = render.flow(value, json_only=self.json_only)
        if node.value:
            return self._after_last(node, node.value[-1], text)
        if isinstance(value, Mapping) and not self.json_only and self._in_block(loc):
            return self._replace(loc, node, [value])
        return self._apply((node.start_mark.index, node.end_mark.index, f"[{text}]"))

    def _after_last(self, node: Node, last: Node, text: str) -> str:
        """Put `text` behind the last part of a list or mapping in brackets; on a line of its own if that one is."""
        end, close = last.end_mark.index, node.end_mark.index - 1
        if not node.start_mark.index < end <= close:
            raise EditRefused("the last part is an alias", remedy="edit the file by hand")
        first = node.value[-1][0] if isinstance(node, MappingNode) else last
        own_line = not self.text[self._line_start(first.start_mark.index) : first.start_mark.index].strip()
        glue = self._newline + " " * first.start_mark.column if own_line else " "
        comma = re.match(r"\s*,", self.text[end:close])
        if comma:
            return self._apply((end + comma.end(), end + comma.end(), f"{glue}{text},"))
        line_end = self._line_end(end)
        if own_line and line_end < close:  # a comment behind the last part stays with it
            return self._apply((end, end, ","), (line_end, line_end, f"{glue}{text}"))
        return self._apply((end, end, f",{glue}{text}"))

    def _remove_block(self, loc: Loc, node: SequenceNode, at: int) -> str:
        dashes = self._dashes(node)
        start, item = dashes[at], node.value[at]
        line_start = self._line_start(start)
        if self.text[line_start:start].strip():
            raise self._refuse(loc, "is written on the line of something else")
        after = dashes[at + 1] if at + 1 < len(dashes) else node.end_mark.index
        end = self._end(item) if self._within(item, start, after) else start + 1
        splices = [(line_start, self._next_line(end), "")]
        if len(node.value) == 1:
            key = self._key(loc)
            colon = self.text.index(":", key.end_mark.index) + 1
            splices.append((colon, colon, " []"))
        return self._apply(*splices)

    def _remove_flow(self, node: SequenceNode, at: int) -> str:
        item = node.value[at]
        start, end = item.start_mark.index, item.end_mark.index
        if not node.start_mark.index < start <= end < node.end_mark.index:
            raise EditRefused("the item is an alias", remedy="edit the file by hand")
        splices: list[Splice] = []
        comma = re.match(r"\s*,", self.text[end : node.end_mark.index - 1])
        if comma:
            end += comma.end()
        elif at:
            before = self.text.rindex(",", node.value[at - 1].end_mark.index, start)
            splices.append((before, before + 1, ""))
        line_start, line_end = self._line_start(start), self._line_end(end)
        rest = self.text[end:line_end].strip()
        if not self.text[line_start:start].strip() and (not rest or rest.startswith("#")):
            start, end = line_start, self._next_line(end)
        elif comma and at + 1 < len(node.value):
            end += len(self.text[end:line_end]) - len(self.text[end:line_end].lstrip(" "))
        else:
            start = len(self.text[:start].rstrip(" "))
        return self._apply(*splices, (start, end, ""))

    def _dashes(self, node: SequenceNode) -> list[int]:
        """The offset of each item's dash. Nothing inside an item can stand as far left as its dash."""
        column, found = node.start_mark.column, [node.start_mark.index]
        at = self._next_line(node.start_mark.index)
        while at < node.end_mark.index and at < len(self.text):
            line = self.text[at : self._line_end(at)]
            if re.fullmatch(rf" {{{column}}}-(\s.*)?", line):
                found.append(at + column)
            at = self._next_line(at)
        if len(found) != len(node.value):
            raise EditRefused("the list is written in an unusual way", remedy="edit the file by hand")
        return found

    # Mappings and scalars

    def _add_key(self, node: MappingNode, key: str, value: object) -> str:
        if node.flow_style:
            name = render.scalar(key, json_only=self.json_only)
            text = f"{name}: {render.flow(value, json_only=self.json_only)}"
            if node.value:
                return self._after_last(node, node.value[-1][1], text)
            return self._apply((node.start_mark.index, node.end_mark.index, "{" + text + "}"))
        column = node.start_mark.column
        end = self._past_comments(self._end(node), column)
        return self._line_after(end, " " * column + render.pair(key, value, column, self._step(value)))

    def _replace(self, loc: Loc, node: Node, value: object) -> str:
        start, end = node.start_mark.index, node.end_mark.index
        if node.style in ("|", ">") if isinstance(node, ScalarNode) else node.value:
            raise self._refuse(loc, "has parts")
        if self.text[start : start + 1] in ("&", "!") and end > start:
            raise self._refuse(loc, "has an anchor or a tag")
        self._own(loc, node)
        if isinstance(value, (dict, list)) and value and not self.json_only and self._in_block(loc):
            column = self._key(loc).start_mark.column + self._step(value)
            cut = (len(self.text[:start].rstrip(" ")), end, "")
            return self._line_after(end, " " * column + render.block(value, column), cut)
        if isinstance(node, ScalarNode) and isinstance(value, str) and node.style == '"':
            text = render.scalar(value, json_only=True)
        elif isinstance(node, ScalarNode) and isinstance(value, str) and node.style == "'" and value.isprintable():
            text = "'" + value.replace("'", "''") + "'"
        else:
            text = render.flow(value, json_only=self.json_only)
        spaced = start == end and self.text[start - 1 : start] not in (" ", "")
        return self._apply((start, end, f" {text}" if spaced else text))

    # Places

    def _own(self, loc: Loc, node: Node) -> None:
        """Refuse what stands elsewhere, as an alias or merged: to change it would change more than was meant."""
        for depth in range(len(loc)):
            owner = self.tree.find(loc[:depth])[1]
            below = self.tree.find(loc[: depth + 1])[1]
            if not self._within(below, owner.start_mark.index, owner.end_mark.index):
                raise self._refuse(loc, "is given by an alias")

    @staticmethod
    def _within(node: Node, start: int, end: int) -> bool:
        return bool(start <= node.start_mark.index and node.end_mark.index <= end)

    def _in_block(self, loc: Loc) -> bool:
        owner = self.tree.find(loc[:-1])[1]
        return isinstance(owner, MappingNode) and not owner.flow_style

    def _key(self, loc: Loc) -> Node:
        owner = self.tree.find(loc[:-1])[1]
        pairs = owner.value if isinstance(owner, MappingNode) else []
        found: Node | None = next((name for name, _ in pairs if name.value == loc[-1]), None)
        if found is None:
            raise self._refuse(loc, "is not written as `key: value`")
        return found

    def _end(self, node: Node) -> int:
        """Where the content of a node ends, without the blank lines and comments that follow."""
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, ScalarNode):
            return len(self.text[:end].rstrip()) if node.style in ("|", ">") else end
        if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
            return end
        last: Node = node.value[-1] if isinstance(node, SequenceNode) else node.value[-1][1]
        floor = self._dashes(node)[-1] if isinstance(node, SequenceNode) else node.value[-1][0].end_mark.index
        if self._within(last, max(start, floor), end):
            return self._end(last)
        return self._line_end(floor)  # an alias: it ends on its own line

    def _past_comments(self, at: int, column: int) -> int:
        """Behind the comments that follow and, being further right than `column`, belong to what stands above."""
        line = self._next_line(at)
        while match := re.compile(rf"[^\S\n]{{{column + 1},}}#.*").match(self.text, line):
            at, line = match.end(), self._next_line(match.end())
        return at

    def _step(self, value: object) -> int:
        """How far this file indents a list below its key."""
        if not isinstance(value, (list, tuple)) or not value:
            return 2
        return 0 if _has_flush_lists(self.tree.root) else 2

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Before the line break, or the end of the text."""
        found = self.text.find("\n", at)
        end = len(self.text) if found < 0 else found
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def _next_line(self, at: int) -> int:
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found + 1

    def _line_after(self, at: int, lines: str, *more: Splice) -> str:
        """Put whole lines behind the line of `at`."""
        lines = lines.replace("\n", self._newline)
        end = self._line_end(at)
        return self._apply(*more, (end, end, self._newline + lines))

    def _apply(self, *splices: Splice) -> str:
        """The text with the splices in place; of two at one offset, the one that is named first comes first."""
        pieces, at = [], 0
        for start, end, new in sorted(splices, key=lambda splice: splice[:2]):
            pieces += [self.text[at:start], new]
            at = end
        return "".join([*pieces, self.text[at:]])

    def _refuse(self, loc: Loc, reason: str) -> EditRefused:
        problem = self.tree.problem(loc, f"{reason}, so it cannot be changed automatically")
        return EditRefused(str(problem), remedy="edit the file by hand")


def _has_flush_lists(node: Node) -> bool:
    """Whether the lists of a document start in the column of their key: told by the first block list."""
    if not isinstance(node, MappingNode) or node.flow_style:
        return False
    for name, value in node.value:
        if isinstance(value, SequenceNode) and not value.flow_style:
            return bool(value.start_mark.column == name.start_mark.column)
    return any(_has_flush_lists(value) for _, value in node.value)


def changed(data: object, loc: Sequence[str | int], value: object) -> object:
    """Plain data with the value at `loc` replaced or added: what a text must say after the change."""
    if not loc:
        return value
    step, rest = loc[0], loc[1:]
    if isinstance(step, int) and isinstance(data, list):
        return [*data[:step], changed(data[step], rest, value), *data[step + 1 :]]
    below = data if isinstance(data, dict) else {}
    return below | {str(step): changed(below.get(str(step)), rest, value)}
