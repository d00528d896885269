"""Spans of time as Kubernetes users write them: `90s`, `10m`, `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from raijin.model.base import fault

_PATTERN = r"(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?"
_PARTS = re.compile(r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?")


def parse_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        raise fault("has no unit", f"write {value}s for seconds or {value}m for minutes")
    match = _PARTS.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise fault("is not a duration", "write it as in 90s, 10m or 1h30m")
    return timedelta(**{unit: int(digits) for unit, digits in match.groupdict().items() if digits})


def format_duration(value: timedelta) -> str:
    """The shortest form that reads back as the same span."""
    rest = int(value.total_seconds())
    text = ""
    for letter, size in (("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{letter}" if count else ""
    return text or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_PATTERN}$"}),
]
