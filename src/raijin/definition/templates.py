"""Definitions to start from, for `raijin init`: commented YAML files, one per situation, in `starters/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from raijin.definition.problems import remedy_for
from raijin.errors import NotFound
from raijin.model.base import listed

_FOLDER = Path(__file__).with_name("starters")


@dataclass(frozen=True, slots=True)
class Starter:
    """A definition to start from."""

    name: str
    summary: str

    @property
    def text(self) -> str:
        """The YAML text, ready to be written to a file and edited."""
        return (_FOLDER / f"{self.name}.yaml").read_text(encoding="utf-8")


STARTERS: tuple[Starter, ...] = (
    Starter("single-node", "one machine, the one that Raijin runs on"),
    Starter("workers", "one control plane host and two workers"),
    Starter("ha", "three control plane hosts behind one address, and three workers"),
)


def starter(name: str) -> Starter:
    """The starter of that name. Raises NotFound with those that there are."""
    names = [item.name for item in STARTERS]
    if name not in names:
        raise NotFound(f"there is no template {name}", remedy=remedy_for(name, names, f"use {listed(names)}"))
    return STARTERS[names.index(name)]
