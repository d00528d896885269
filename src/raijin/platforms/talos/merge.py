"""Talos's strategic merge of machine configurations, and what differs between two of them field by field.

Source: pkg/machinery/config/configpatcher and config/merge of v1.12.0. Mappings merge, lists grow, except the lists
tagged `merge:"replace"` and those whose items have a key of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from raijin.plan.model import Change

Document = dict[str, Any]
_REPLACED = frozenset({"podSubnets", "serviceSubnets", "auditPolicy"})
_KEYS = {"admissionControl": "name", "interfaces": "interface", "vlans": "vlanId", "authorizationConfig": "name"}


def patched(documents: Sequence[Document], patches: Iterable[Mapping[str, Any]]) -> list[Document]:
    """The documents after each patch: one without a `kind` is about the machine configuration itself."""
    result = [dict(document) for document in documents]
    for patch in patches:
        identity = _identity(patch)
        place = next((n for n, document in enumerate(result) if _identity(document) == identity), None)
        if place is None:
            result.append(dict(patch))
        else:
            result[place] = _merged(result[place], patch)
    return result


def _identity(document: Mapping[str, Any]) -> tuple[str, str]:
    return str(document.get("kind", "")), str(document.get("name", ""))


def _merged(base: Any, over: Any, key: str = "") -> Any:
    if key in _REPLACED:
        return over
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        merged = dict(base)
        for name, value in over.items():
            merged[name] = _merged(base[name], value, str(name)) if name in base else value
        return merged
    if isinstance(base, list) and isinstance(over, (list, tuple)):
        return _joined(base, over, _KEYS.get(key, ""))
    return over


def _joined(base: Sequence[Any], over: Sequence[Any], key: str) -> list[Any]:
    result = list(base)
    for item in over:
        same = [n for n, old in enumerate(result) if key and isinstance(item, Mapping) and old.get(key) == item[key]]
        if same:
            result[same[0]] = _merged(result[same[0]], item)
        else:
            result.append(item)
    return result


def changes(thing: str, live: Sequence[Document], wanted: Sequence[Document]) -> tuple[Change, ...]:
    """What has to change in a machine's configuration, in both directions: what is not wanted any more goes."""
    before = {_identity(document): document for document in live}
    after = {_identity(document): document for document in wanted}
    found: list[Change] = []
    for identity in dict.fromkeys([*after, *before]):
        prefix = " ".join(word for word in identity if word)
        for path, old, new in _differences(before.get(identity), after.get(identity), prefix):
            found.append(Change(thing, path, old, new))
    return tuple(found)


def _differences(live: Any, wanted: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys([*wanted, *live]):
            yield from _differences(live.get(key), wanted.get(key), f"{path}.{key}" if path else str(key))
        return
    if isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        for index, (old, new) in enumerate(zip(live, wanted, strict=True)):
            yield from _differences(old, new, f"{path}[{index}]")
        return
    if live != wanted and not (_nothing(live) and _nothing(wanted)):
        yield path or "configuration", _text(live), _text(wanted)


def _nothing(value: Any) -> bool:
    return value is None or value in ({}, [], "")


def _text(value: Any) -> str:
    return "absent" if value is None else str(value)
