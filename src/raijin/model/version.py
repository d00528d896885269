"""Versions of Kubernetes distributions, each in the form that its project writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering

_PARTS = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A full version: `v1.34.2`, `v1.32.0+k3s1`, `v1.31.0-rc.1`. Ordered as releases follow each other."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """The version that `text` is, with or without its `v`; None when it is none or not a full one."""
        match = _PARTS.fullmatch(text)
        if match is None:
            return None
        major, minor, patch, pre, build = match.groups()
        return cls(int(major), int(minor), int(patch), pre or "", build or "")

    def __str__(self) -> str:
        return f"v{self.core}{f'-{self.pre}' if self.pre else ''}{f'+{self.build}' if self.build else ''}"

    @property
    def core(self) -> str:
        """The three numbers: `1.34.2`."""
        return f"{self.major}.{self.minor}.{self.patch}"

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[object, ...]:
        return (self.major, self.minor, self.patch, not self.pre, _natural(self.pre), _natural(self.build))


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """So that rc.10 follows rc.9, and k3s2 follows k3s1."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|[^\d.]+", text))


def newest(versions: Iterable[str]) -> str:
    """The newest of versions or tags of whatever form: `v1.4.10` after `v1.4.9`, `3.6.5-0` after `3.6.4-0`."""
    return max(versions, key=lambda text: _natural(text.removeprefix("v")))
