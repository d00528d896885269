"""Where machines come from. One file or folder per provider, one line in the catalogue."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from raijin.errors import NotFound
from raijin.machines.base import Machine, MachineProvider, MachineRequest, Progress

PROVIDERS: dict[str, str] = {"LAB": "raijin.machines.lab.provider:LabProvider"}
"""Where each provider is (made from RAIJIN_HOME), by its name in definitions; imported when it is asked for."""


def provider(name: str, home: Path) -> MachineProvider:
    """The provider of that name. Raises NotFound."""
    if name not in PROVIDERS:
        raise NotFound(f"there is no machine provider {name!r}", remedy=f"use one of: {', '.join(PROVIDERS)}")
    module, _, kind = PROVIDERS[name].partition(":")
    return cast("MachineProvider", getattr(import_module(module), kind)(home))


__all__ = ["PROVIDERS", "Machine", "MachineProvider", "MachineRequest", "Progress", "provider"]
