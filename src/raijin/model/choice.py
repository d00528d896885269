"""Enumerations that are read in any case: `K3S`, `k3s`, `control-plane` and `CONTROL_PLANE` alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


def _fold(word: str) -> str:
    return word.strip().upper().replace("-", "_").replace(" ", "_")


class Choice(StrEnum):
    """A choice among words. `aliases` names other spellings that people use for a member."""

    @classmethod
    def aliases(cls) -> dict[str, str]:
        """Other spelling, upper-case -> name of the member."""
        return {}

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = _fold(value)
        name = cls.aliases().get(word, word)
        return next((member for member in cls if _fold(member.value) == name or member.name == name), None)
