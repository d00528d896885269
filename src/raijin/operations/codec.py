"""Operations and programs as JSON values, both ways; reading is strict."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cache

from raijin.errors import UsageError
from raijin.operations import CATALOGUE
from raijin.operations.base import Operation, SecretRef
from raijin.operations.plain import to_json
from raijin.operations.program import Program

__all__ = ["from_json", "program_from_json", "program_to_json", "to_json"]

Read = Callable[[object], object]


class _Wrong(Exception):
    """A value of another type than the field's; the text says which was wanted."""


def from_json(data: object) -> Operation:
    """An operation from what `to_json` gave. Raises UsageError naming an unknown kind or field, or a wrong type."""
    if not isinstance(data, dict):
        raise UsageError(f"an operation is an object with a kind, not a {type(data).__name__}")
    entry = _catalogue().get(data.get("kind"))
    if entry is None:
        remedy = "use " + ", ".join(map(str, _catalogue()))
        raise UsageError(f"there is no operation of the kind {data.get('kind')!r}", remedy=remedy)
    make, readers, required = entry
    values: dict[str, object] = {}
    for name, value in data.items():
        reader = readers.get(name)
        if reader is None:
            raise UsageError(f"the operation {data['kind']} has no field {name!r}", remedy="use " + ", ".join(readers))
        try:
            values[name] = reader(value)
        except _Wrong as error:
            raise UsageError(f"the field {name!r} of the operation {data['kind']} is not {error}") from None
    if missing := required - values.keys():
        raise UsageError(f"the operation {data['kind']} lacks the field {min(missing)!r}")
    return make(**values)


def program_to_json(program: Program) -> dict[str, object]:
    operations = [to_json(operation) for operation in program.operations]
    return {"name": program.name, "scope": program.scope, "operations": operations}


def program_from_json(data: object) -> Program:
    """A program from what `program_to_json` gave. Raises UsageError."""
    if not isinstance(data, dict) or data.keys() != {"name", "scope", "operations"}:
        raise UsageError("a program is an object with a name, a scope and operations")
    name, scope, operations = data["name"], data["scope"], data["operations"]
    if not isinstance(name, str) or not isinstance(scope, str) or not isinstance(operations, list):
        raise UsageError("a program has a name and a scope, which are text, and a list of operations")
    return Program(name, scope, tuple(from_json(item) for item in operations))


@cache
def _catalogue() -> Mapping[object, tuple[Callable[..., Operation], Mapping[str, Read], frozenset[str]]]:
    """By kind: the class, a reader for each field, and the fields that have no default."""
    found: dict[object, tuple[Callable[..., Operation], Mapping[str, Read], frozenset[str]]] = {}
    for kind in CATALOGUE:
        hints = typing.get_type_hints(kind)
        readers = {item.name: _reader(hints[item.name]) for item in fields(kind)}
        bare = (item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING)
        (name,) = typing.get_args(hints["kind"])
        found[name] = (kind, readers, frozenset(bare))
    return found


def _reader(hint: object) -> Read:
    """What turns a JSON value into a field of this type, or raises _Wrong."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return _literal(arguments)
    if origin in (typing.Union, types.UnionType):
        return _union([_reader(item) for item in arguments])
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return _many(_reader(arguments[0]))
        return _pair([_reader(item) for item in arguments])
    return _READERS[origin or hint]


def _exactly(wanted: type, words: str) -> Read:
    def read(value: object) -> object:
        # A bool is an int to Python, and not to the person who wrote `true` for a number.
        if type(value) is not wanted:
            raise _Wrong(words)
        return value

    return read


def _secret(value: object) -> object:
    if isinstance(value, dict) and value.keys() == {"secret"} and isinstance(value["secret"], str):
        return SecretRef(value["secret"])
    raise _Wrong("a reference to a secret")


def _mapping(value: object) -> object:
    if not isinstance(value, dict):
        raise _Wrong("an object")
    return {key: _open(item) for key, item in value.items()}


def _open(value: object) -> object:
    """Any JSON value; a reference to a secret anywhere in it."""
    if isinstance(value, list):
        return [_open(item) for item in value]
    if not isinstance(value, dict):
        return value
    try:
        return _secret(value)
    except _Wrong:
        return _mapping(value)


def _literal(allowed: tuple[object, ...]) -> Read:
    def read(value: object) -> object:
        if value not in allowed:
            raise _Wrong(" or ".join(map(repr, allowed)))
        return value

    return read


def _union(readers: list[Read]) -> Read:
    def read(value: object) -> object:
        wrong = []
        for reader in readers:
            try:
                return reader(value)
            except _Wrong as error:
                wrong.append(str(error))
        raise _Wrong(" or ".join(wrong))

    return read


def _many(reader: Read) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, list):
            raise _Wrong("a list")
        return tuple([reader(item) for item in value])

    return read


def _pair(readers: list[Read]) -> Read:
    def read(value: object) -> object:
        if not isinstance(value, list) or len(value) != len(readers):
            raise _Wrong(f"a list of {len(readers)} values")
        return tuple([reader(item) for reader, item in zip(readers, value, strict=True)])

    return read


_READERS: Mapping[object, Read] = {
    str: _exactly(str, "text"),
    int: _exactly(int, "a whole number"),
    bool: _exactly(bool, "true or false"),
    type(None): _exactly(type(None), "null"),
    SecretRef: _secret,
    Mapping: _mapping,
}
