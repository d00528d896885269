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
from raijin.model.cluster import Cluster, ClusterType
from raijin.model.network import Isolation, NodeNetwork
from raijin.model.node_group import AntiAffinity, NodeGroup
from raijin.model.service import Service
from raijin.observe.waiting import until
from raijin.state import DATABASE_URL, database_url

T = TypeVar("T")
SYSTEMS = (ClusterType.TALOS, ClusterType.OKD)
"""Distributions that are an operating system of their own."""
TURN_SECONDS = 900.0
"""As long as a dozen others need to start their machines."""
LONGEST = 40
BOOTS = (BootMethod.EXISTING, BootMethod.TEMPLATE)


class LabProvider:
    """Machines on this box, see `lab`."""

    name: ClassVar[str] = lab.PROVIDER

    def __init__(self, home: Path) -> None:
        self._home = home

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        if cluster.type in SYSTEMS:
            yield "type", f"{cluster.type} is an operating system of its own, and lab machines share that of this box"
        if cluster.boot_method not in BOOTS:
            yield "bootMethod", f"lab machines start from the lab's own image, not by {cluster.boot_method}"
        yield from _network(cluster.network)
        if database_url():
            yield "nodeGroups", f"lab machines are on one box, and {DATABASE_URL} may have runners on others"
        for index, group in enumerate(cluster.node_groups):
            name = machine_name(cluster.name, group.name, group.size)
            if len(name) > LONGEST:
                yield f"nodeGroups[{index}].name", f"{name} is no name for a lab machine: more than {LONGEST} letters"

    def refused_group(self, group: NodeGroup) -> Iterable[Part]:
        template, placement = group.template, group.placement
        for name in ("cpu", "disk_gb") if template else ():
            if getattr(template, name) is not None:
                yield f"template.{_alias(template, name)}", "lab machines share processors and disk of this box"
        if group.boot is not None and group.boot.method not in {None, *BOOTS}:
            yield "boot.method", f"lab machines start from the lab's own image, not by {group.boot.method}"
        if placement is not None and placement.target_nodes:
            yield "placement.targetNodes", "all lab machines are on this box"
        if placement is not None and placement.anti_affinity is AntiAffinity.HARD and group.size > 1:
            yield "placement.antiAffinity", "all lab machines are on this box, and HARD never takes two on one"
        if group.tags:
            yield "tags", "lab machines bear no tags"
        if group.network is not None:
            yield from ((f"network.{field}", reason) for field, reason in _network(group.network, ""))

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


def _network(network: NodeNetwork, prefix: str = "network.") -> Iterable[Part]:
    if network.isolation is not Isolation.NONE:
        yield f"{prefix}isolation", "lab machines are all in the lab's one network"
    for name in ("private_vlan", "public_access", "interfaces"):
        if getattr(network, name):
            yield f"{prefix}{_alias(network, name)}", "lab machines have one interface, in the lab's network"


def _alias(model: object, field: str) -> str:
    fields = type(model).model_fields  # type: ignore[attr-defined]
    return str(fields[field].alias or field)
