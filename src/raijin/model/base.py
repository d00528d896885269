"""What every model of the definition has in common: strict keys, camelCase in files, no change after reading."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

M = TypeVar("M", bound="Model")

FreeDict = dict[str, JsonValue]
"""A mapping that Raijin hands on without reading it."""


class Model(BaseModel):
    """Base of all models. An unknown key is an error: a misspelt key would otherwise be a setting that does nothing."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        # Only the models that texts are validated against get a validator, and only when one is: a third of the import.
        defer_build=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        serialize_by_alias=True,
        validate_default=False,
    )

    @classmethod
    def bare(cls) -> Self:
        """The model with no field given: what `cls()` is, without building a validator for it."""
        return cast("Self", cls.model_construct())


def fault(message: str, remedy: str) -> PydanticCustomError:
    """The error of a field validator: what is wrong with the value, and the way out."""
    return PydanticCustomError("raijin", "{message}", {"message": message, "remedy": remedy})


def overlay(base: M, over: M) -> M:
    """`base` with every field that `over` was given on purpose."""
    given = over.model_fields_set
    if not given:
        return base
    return base.model_copy(update={field: getattr(over, field) for field in given})


def listed(values: Iterable[object]) -> str:
    """`A, B or C`."""
    words = [str(value) for value in values]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _not_empty(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise fault("is empty", "give at least one")
    return value


NON_EMPTY = AfterValidator(_not_empty)
"""For lists. pydantic's own minimum also counts a list as too short when one of its items is wrong."""
