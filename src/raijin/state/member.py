"""What is remembered of a host that belongs to a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """target: how the host is reached (no secrets). quarantine: why it is left alone, if it is."""

    host: str
    role: str
    target: Mapping[str, object]
    quarantine: str | None = None
