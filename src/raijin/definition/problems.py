"""pydantic's errors -> problems that say where, what, and the way out. The value of a secret is never shown."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from raijin.definition.tree import Loc, Tree
from raijin.errors import Problem
from raijin.model.base import Model, listed
from raijin.model.secret import Secret

_SECRET_WORD = re.compile(r"pass|secret|token|credential|api_?key|private", re.IGNORECASE)
_LONGEST_VALUE = 60

_WANTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "path_type": "must be text",
}
_MAPPING_TYPES = ("dict_type", "model_type", "model_attributes_type")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The known word that `word` was probably meant to be, or an empty text. Case does not count."""
    folded = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def remedy_for(word: str, known: Sequence[str], otherwise: str) -> str:
    guess = did_you_mean(word, known)
    return f"did you mean {guess}?" if guess else otherwise


def problems_of(error: ValidationError, tree: Tree, model: type[Model]) -> list[Problem]:
    """Every error of one document, in the order of the file."""
    # A default that needs another field is not an error of its own: that field has been reported.
    errors = [item for item in error.errors(include_url=False) if item["type"] != "default_factory_not_called"]
    found = [_problem(details, tree, model) for details in errors]
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def _problem(details: ErrorDetails, tree: Tree, model: type[Model]) -> Problem:
    loc, kind = details["loc"], details["type"]
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1])
        otherwise = f"use {listed(known)}" if len(known) <= 12 else "remove it; the reference lists the keys"
        return tree.problem(loc, "is not a known key", remedy_for(str(loc[-1]), known, otherwise), key=True)
    if kind == "missing":
        reached = tree.find(loc)[0]
        if len(reached) < len(loc) - 1:  # it was given in a short form, which names no keys
            return tree.problem(reached, f"names no {loc[-1]}", value=_shown(tree, reached, model))
        return tree.problem(loc, "is missing", f"add `{loc[-1]}: ...`")
    if loc and loc[-1] == "[key]":  # pydantic's word for: the key itself is wrong
        return tree.problem(loc[:-1], *explain(details), key=True)
    reached = tree.find(loc)[0]
    message, remedy = explain(details, tree.text(reached))
    shows = kind not in _MAPPING_TYPES
    return tree.problem(reached, message, remedy, value=_shown(tree, reached, model) if shows else "")


def explain(details: ErrorDetails, text: str | None = None) -> tuple[str, str]:
    """Message and remedy of one error; `text` is the value as it was written."""
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "raijin":
        return context["message"], context["remedy"]
    if isinstance(value, Secret):
        return "is encrypted, which only passwords and other secrets may be", "write the value itself"
    if value is None:
        return "is empty", "give it a value, or remove the key"
    if kind in _WANTED:
        return _WANTED[kind], _type_remedy(kind, value, text)
    if kind == "enum":
        words = [str(member) for member in _members(context)]
        return "is not one of the choices", remedy_for(str(value), words, f"use {listed(words)}")
    return _limit(kind, context) or (details["msg"][:1].lower() + details["msg"][1:], "")


def _limit(kind: str, context: dict[str, Any]) -> tuple[str, str] | None:
    """The message for a number or a list that is too small or too large."""
    match kind:
        case "greater_than_equal":
            return f"must be at least {context['ge']}", ""
        case "less_than_equal":
            return f"must be at most {context['le']}", ""
        case "string_too_short":
            return "is empty", "give it a value, or remove the key"
        case _:
            return None


def _type_remedy(kind: str, value: object, text: str | None) -> str:
    if kind in ("string_type", "path_type") and isinstance(value, (bool, int, float)):
        return f'put it in quotes: "{text if text is not None else value}"'
    if kind in ("tuple_type", "list_type") and isinstance(value, (str, int)):
        return "write it as a list, with a `- ` before each item"
    if kind in _MAPPING_TYPES:
        return "write `key: value` lines below it"
    return ""


def _members(context: dict[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", str(context.get("expected", "")))


def _shown(tree: Tree, loc: Loc, model: type[Model]) -> str:
    """The value for a message; empty when it is long, has parts, or may be a secret."""
    annotation = _annotation_at(model, loc)
    if annotation is Secret or (annotation is None and any(_SECRET_WORD.search(str(step)) for step in loc)):
        return ""
    return shown(_value_at(tree.data, loc), tree.text(loc))


def shown(value: object, text: str | None = None) -> str:
    """A scalar as a message shows it."""
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 3] + "..."
        return json.dumps(text, ensure_ascii=False)
    if isinstance(value, (bool, int, float)):
        return text if text is not None else str(value)
    return ""


def _value_at(data: object, loc: Loc) -> object:
    for step in loc:
        data = data[step]  # type: ignore[index]
    return data


def _bare(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def _annotation_at(model: type[Model], loc: Sequence[str | int]) -> Any:
    """The type of the field at `loc`; None where the models do not say."""
    here: Any = model
    for step in loc:
        here = _bare(here)
        if isinstance(here, type) and issubclass(here, Model):
            field = next((f for f in here.model_fields.values() if f.alias == step), None)
            if field is None:
                return None
            here = field.annotation
        elif get_origin(here) in (tuple, list, dict):
            here = get_args(here)[-1 if get_origin(here) is dict else 0]
        else:
            return None
    return _bare(here)


def _keys_at(model: type[Model], loc: Sequence[str | int]) -> list[str]:
    here = _annotation_at(model, loc)
    if isinstance(here, type) and issubclass(here, Model):
        return [field.alias or name for name, field in here.model_fields.items() if name != "kind"]
    return []
