"""Where machines come from. One file or folder per provider, one line in the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from raijin.errors import NotFound
from raijin.machines.base import Machine, MachineProvider, MachineRequest, Progress
from raijin.machines.lab import LabProvider

PROVIDERS: tuple[tuple[str, Callable[[Path], MachineProvider]], ...] = ((LabProvider.name, LabProvider),)
"""Name and maker (from RAIJIN_HOME) of each provider, in the order in which they are listed to the user."""


def provider(name: str, home: Path) -> MachineProvider:
    """The provider of that name. Raises NotFound."""
    for known, make in PROVIDERS:
        if known == name:
            return make(home)
    names = ", ".join(known for known, _ in PROVIDERS)
    raise NotFound(f"there is no machine provider {name!r}", remedy=f"use one of: {names}")


__all__ = ["PROVIDERS", "Machine", "MachineProvider", "MachineRequest", "Progress", "provider"]
