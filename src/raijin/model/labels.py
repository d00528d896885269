"""Labels and taints, held to the rules of the Kubernetes API so that a wrong one is found before a node joins."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic_core import CoreSchema

from raijin.model.base import Model, fault
from raijin.model.choice import Choice
from raijin.model.names import is_dns_name

_PART = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


@lru_cache(maxsize=4096)
def key_fault(key: str) -> tuple[str, str] | None:
    """What is wrong with a qualified name (`zone`, `example.org/rack`) and the way out, or None."""
    prefix, slash, name = key.rpartition("/")
    if slash and not is_dns_name(prefix):
        return f"key {key!r} has a prefix that is not a DNS name", "write the prefix as in example.org/rack"
    if not _PART.fullmatch(name):
        return (
            f"key {key!r} is not a valid key",
            "use up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
        )
    return None


@lru_cache(maxsize=4096)
def value_fault(value: str) -> tuple[str, str] | None:
    """What is wrong with a label or taint value and the way out, or None."""
    if value and not _PART.fullmatch(value):
        return (
            f"value {value!r} is not a valid value",
            "use up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
        )
    return None


def _key(value: str) -> str:
    wrong = key_fault(value)
    if wrong:
        raise fault(*wrong)
    return value


def _value(value: str) -> str:
    wrong = value_fault(value)
    if wrong:
        raise fault(*wrong)
    return value


Labels = dict[Annotated[str, AfterValidator(_key)], Annotated[str, AfterValidator(_value)]]
"""Kubernetes labels: key -> value, both text."""


class TaintEffect(Choice):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"

    @classmethod
    def aliases(cls) -> dict[str, str]:
        return {member.value.upper(): member.name for member in cls}


class Taint(Model):
    """A taint, as a mapping or in kubectl's form `key=value:NoSchedule`."""

    key: str = Field(description="The taint key, a qualified name.", examples=["dedicated"])
    value: str = Field(default="", description="The taint value; may be empty.", examples=["storage"])
    effect: TaintEffect = Field(description="What happens to pods that do not tolerate it.")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        written = {"type": "string", "examples": ["dedicated=storage:NoSchedule"]}
        return {"title": "Taint", "description": cls.__doc__, "anyOf": [written, handler(schema)]}

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: object) -> object:
        if not isinstance(data, str):
            return data
        pair, colon, effect = data.rpartition(":")
        if not colon or not pair:
            raise fault("has no effect", "write it as in dedicated=storage:NoSchedule")
        key, _, value = pair.partition("=")
        return {"key": key, "value": value, "effect": effect}

    @model_validator(mode="after")
    def _valid(self) -> Taint:
        wrong = key_fault(self.key) or value_fault(self.value)
        if wrong:
            raise fault(*wrong)
        return self

    @model_serializer
    def __str__(self) -> str:
        """kubectl's form."""
        pair = f"{self.key}={self.value}" if self.value else self.key
        return f"{pair}:{self.effect.value}"
