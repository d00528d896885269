"""The lab behind the seam of all machine providers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from raijin.machines.base import Machine, MachineRequest, Progress
from raijin.machines.lab import lab
from raijin.machines.lab.spec import LabSpec


class LabProvider:
    """Machines on this box, see `lab`."""

    name: ClassVar[str] = lab.PROVIDER

    def __init__(self, home: Path) -> None:
        self._home = home

    async def create(self, requests: Sequence[MachineRequest], progress: Progress | None = None) -> list[Machine]:
        """Machines with different amounts of memory are made one after another, all others together."""
        made: dict[str, Machine] = {}
        for memory in dict.fromkeys(request.memory for request in requests):
            names = tuple(request.name for request in requests if request.memory == memory)
            for machine in await lab.up(LabSpec(names=names, memory=memory), progress, home=self._home):
                made[machine.name] = machine
        return [made[request.name] for request in requests]

    async def machines(self) -> list[Machine]:
        return list((await lab.status(home=self._home)).machines)

    async def destroy(self, names: Sequence[str], progress: Progress | None = None) -> None:
        await lab.down(names, progress, home=self._home)
