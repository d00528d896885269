"""The lab behind the seam of all machine providers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

from raijin.definition.counted import machine_name
from raijin.errors import Locked
from raijin.machines.base import Machine, MachineRequest, Part, Progress
from raijin.machines.lab import lab
from raijin.machines.lab.spec import LabSpec
from raijin.model.boot import BootMethod
from raijin.model.cluster import Cluster
from raijin.model.node_group import AntiAffinity, NodeGroup
from raijin.model.service import Service
from raijin.observe.waiting import until
from raijin.state import DATABASE_URL, database_url

T = TypeVar("T")
TURN_SECONDS = 900.0
"""As long as a dozen others need to start their machines."""
ONE_NETWORK = "lab machines have one interface, in the lab's one network"
LONGEST = 40
BOOTS = (BootMethod.EXISTING, BootMethod.TEMPLATE)


class LabProvider:
    """Machines on this box, see `lab`."""

    name: ClassVar[str] = lab.PROVIDER

    def __init__(self, home: Path) -> None:
        self._home = home

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        if cluster.type.own_system:
            yield "type", f"{cluster.type} is an operating system of its own, and lab machines share that of this box"
        if cluster.boot_method not in BOOTS:
            yield "bootMethod", f"lab machines start from the lab's own image, not by {cluster.boot_method}"
        yield from ((f"network.{field}", ONE_NETWORK) for field in cluster.network.of_machines)
        if database_url():
            yield "nodeGroups", f"lab machines are on one box, and {DATABASE_URL} may have runners on others"
        for index, group in enumerate(cluster.node_groups):
            name = machine_name(cluster.name, group.name, group.size)
            if len(name) > LONGEST:
                yield f"nodeGroups[{index}].name", f"{name} is no name for a lab machine: more than {LONGEST} letters"

    def refused_group(self, group: NodeGroup) -> Iterable[Part]:
        template, placement = group.template, group.placement
        if template is not None:
            for field, wanted in (("cpu", template.cpu), ("diskGb", template.disk_gb)):
                if wanted is not None:
                    yield f"template.{field}", "lab machines share processors and disk of this box"
        if group.boot is not None and group.boot.method not in {None, *BOOTS}:
            yield "boot.method", f"lab machines start from the lab's own image, not by {group.boot.method}"
        if placement is not None and placement.target_nodes:
            yield "placement.targetNodes", "all lab machines are on this box"
        if placement is not None and placement.anti_affinity is AntiAffinity.HARD and group.size > 1:
            yield "placement.antiAffinity", "all lab machines are on this box, and HARD never takes two on one"
        if group.tags:
            yield "tags", "lab machines bear no tags"
        if group.network is not None:
            yield from ((f"network.{field}", ONE_NETWORK) for field in group.network.of_machines)

    def provides(self, service: Service) -> bool:
        del service
        return False

    def remarks(self, group: NodeGroup) -> Iterable[str]:
        if group.template is not None and group.template.image_source:
            yield f"machines of {group.name} start from the lab's own image, not from {group.template.image_source}"
        if group.placement is not None and group.placement.preferred_nodes:
            yield f"machines of {group.name} are on this box, not on {', '.join(group.placement.preferred_nodes)}"

    async def create(self, requests: Sequence[MachineRequest], progress: Progress | None = None) -> list[Machine]:
        """Machines with different amounts of memory are made one after another, all others together."""
        made: dict[str, Machine] = {}
        for memory in dict.fromkeys(request.memory for request in requests):
            names = tuple(request.name for request in requests if request.memory == memory)
            spec = LabSpec(names=names, memory=memory)
            for machine in await in_turn(partial(lab.up, spec, progress, home=self._home)):
                made[machine.name] = machine
        return [made[request.name] for request in requests]

    async def machines(self) -> list[Machine]:
        return list((await lab.status(home=self._home)).machines)

    async def destroy(self, names: Sequence[str], progress: Progress | None = None) -> None:
        await in_turn(partial(lab.down, names, progress, home=self._home))


async def in_turn(work: Callable[[], Awaitable[T]]) -> T:
    """Work on the lab when nobody else does: another command, or another step of the same run. Raises MachineError."""
    done: list[T] = []

    async def attempt() -> str:
        try:
            done.append(await work())
        except Locked as busy:
            return str(busy)
        return ""

    await until("the lab to be free", attempt, timeout=TURN_SECONDS)
    return done[0]
