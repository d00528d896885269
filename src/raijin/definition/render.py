"""Plain data -> YAML or JSON text for the few lines that an edit adds."""

from __future__ import annotations

import json
import re

from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from raijin.definition.tree import read_plain

_PLAIN = re.compile(r"[A-Za-z0-9/~._](?:[A-Za-z0-9/~._@+=:%-]| (?=[A-Za-z0-9/~._]))*")


# Characters that JSON takes as they are and YAML does not: line breaks of its own, and what cannot be printed.
_SPECIAL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_YAML_1_1 = Resolver()


def scalar(value: object, *, json_only: bool = False) -> str:
    """A scalar on one line; text without quotes where every YAML reader takes it for text."""
    if isinstance(value, str) and not json_only and _is_safe(value):
        return value
    return _SPECIAL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def flow(value: object, *, json_only: bool = False) -> str:
    """Any value on one line: `{name: w1, labels: {zone: a}}`."""
    if isinstance(value, dict):
        pairs = [
            f"{scalar(key, json_only=json_only)}: {flow(item, json_only=json_only)}" for key, item in value.items()
        ]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item, json_only=json_only) for item in value) + "]"
    return scalar(value, json_only=json_only)


def block(value: object, indent: int, step: int = 2) -> str:
    """A value that starts at column `indent` of a line that is already begun."""
    margin = "\n" + " " * indent
    if isinstance(value, dict) and value:
        return margin.join(pair(key, item, indent, step) for key, item in value.items())
    if isinstance(value, (list, tuple)) and value:
        return margin.join(f"- {block(item, indent + 2, step)}" for item in value)
    return flow(value)


def pair(key: str, value: object, indent: int, step: int = 2) -> str:
    """`key: value`, where a value with parts follows on lines of its own."""
    if isinstance(value, (dict, list, tuple)) and value:
        return f"{scalar(key)}:\n{' ' * (indent + step)}{block(value, indent + step, step)}"
    return f"{scalar(key)}: {flow(value)}"


def _is_safe(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or text.endswith(":") or ": " in text or text in ("---", "..."):
        return False
    return read_plain(text) == text and not _other_readers_differ(text)


def _other_readers_differ(text: str) -> bool:
    """Whether readers of YAML 1.1 take the text for something else: `no`, `12:30`, `2024-01-01`."""
    tag = _YAML_1_1.resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag != "tag:yaml.org,2002:str")
