"""An operation as JSON values: the form that is hashed, saved in a plan, and sent between processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache, lru_cache

from raijin.operations.base import Operation, SecretRef


def to_json(operation: Operation) -> dict[str, object]:
    """Every field by its name, `kind` among them; a SecretRef as `{"secret": name}`, never its value."""
    return {name: plain(getattr(operation, name)) for name in _names(type(operation))}


def to_text(operation: Operation) -> str:
    """The same as one JSON text with sorted keys. Hosts share most operations: each is written once."""
    try:
        return _text(operation)  # type: ignore[arg-type] # one without a hash is what the except is for
    except TypeError:  # it holds a mapping
        return _written(operation)


def _written(operation: Operation) -> str:
    return json.dumps(to_json(operation), sort_keys=True)


@lru_cache(maxsize=1024)
def _text(operation: Operation) -> str:
    return _written(operation)


@cache
def _names(operation: type[Operation]) -> tuple[str, ...]:
    return tuple(item.name for item in fields(operation))  # type: ignore[arg-type] # every operation is a dataclass


def plain(value: object) -> object:
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, SecretRef):
        return {"secret": value.secret}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    raise TypeError(f"an operation cannot hold a {type(value).__name__}")
