"""What is remembered of a machine that was made because a definition counts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadeMachine:
    """target: how it is reached, as a host of a Site (no secrets); only its name while it is being made; empty when it
    was given back, because it was only needed once. provider: who made it, and takes it back.
    """

    name: str
    cluster: str
    group: str
    provider: str
    target: Mapping[str, object]

    @property
    def begun(self) -> bool:
        """It is being made, or was when the run was killed: there may be something of it."""
        return set(self.target) == {"name"}

    @property
    def spent(self) -> bool:
        return not self.target
