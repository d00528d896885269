"""An operation as JSON values: the form that is hashed, saved in a plan, and sent between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache

from raijin.operations.base import Operation, SecretRef


def to_json(operation: Operation) -> dict[str, object]:
    """Every field by its name, `kind` among them; a SecretRef as `{"secret": name}`, never its value."""
    return {name: plain(getattr(operation, name)) for name in _names(type(operation))}


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
