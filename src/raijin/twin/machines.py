"""Machines of a rehearsal: made at once, with a system that was just installed, and gone when they are given back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from raijin.machines.base import Machine, MachineRequest, Part, Progress
from raijin.machines.placement import crowded
from raijin.model.cluster import Cluster
from raijin.model.host import Host as Defined
from raijin.model.node_group import NodeGroup
from raijin.model.service import Service, ServiceType
from raijin.twin.site import TwinSite

AROUND = (ServiceType.LOAD_BALANCER, ServiceType.PXE_BOOT, ServiceType.DNS, ServiceType.DHCP, ServiceType.NTP)
"""What stands around simulated machines, whoever runs it: they are reached, named, and boot as they should."""


class TwinProvider:
    """Simulated machines, on whatever hypervisors the definition names, booted as it says."""

    name: ClassVar[str] = "rehearsal"

    def __init__(self, site: TwinSite) -> None:
        self._site = site

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        del cluster
        return ()

    def refused_group(self, group: NodeGroup) -> Iterable[Part]:
        if reason := crowded(group):
            yield "placement.antiAffinity", reason

    def provides(self, service: Service) -> bool:
        return service.type in AROUND

    def remarks(self, group: NodeGroup) -> Iterable[str]:
        if group.template is not None and group.template.image_source:
            yield f"machines of {group.name} are simulated: {group.template.image_source} is not looked at"

    async def create(self, requests: Sequence[MachineRequest], progress: Progress | None = None) -> list[Machine]:
        for request in requests:
            if request.name not in self._site.hosts and progress is not None:
                progress(request.name, f"made on {request.hypervisor}" if request.hypervisor else "made")
            self._site.add(Defined.model_validate({"name": request.name, "address": self._site.free_address()}))
        return [self._machine(request.name) for request in requests]

    async def machines(self) -> list[Machine]:
        return [self._machine(name) for name in self._site.hosts]

    async def destroy(self, names: Sequence[str], progress: Progress | None = None) -> None:
        for name in names:
            if self._site.hosts.pop(name, None) is not None and progress is not None:
                progress(name, "gone")
        self._site.forget_dead_cluster()

    def _machine(self, name: str) -> Machine:
        host = self._site.hosts[name]
        return Machine(name, host.address, "running" if host.up else "stopped", self.name, Path(), "")
