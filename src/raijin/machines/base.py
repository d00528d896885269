"""What every source of machines offers: ask for machines by name, see them, give them back.

A provider ends where SSH begins: it hands out machines that answer on port 22 with a known host key. What is installed
on them afterwards is not its business, so a host from a provider and a host from the user's rack look the same above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from raijin.model.cluster import Cluster
from raijin.model.node_group import NodeGroup
from raijin.model.service import Service

Progress = Callable[[str, str], None]
"""Called with (machine name or provider name, what happens now)."""

MachineState = Literal["running", "stopped"]


@dataclass(frozen=True, slots=True)
class MachineRequest:
    """A machine that somebody wants. memory: bytes, None for whatever the provider gives. hypervisor: what it is put
    on, empty where the provider has no choice.
    """

    name: str
    memory: int | None = None
    hypervisor: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that exists. host_key: the public SSH host key as in known_hosts (`ssh-ed25519 AAAA...`)."""

    name: str
    address: str
    state: MachineState
    provider: str
    ssh_key: Path
    host_key: str
    ssh_user: str = "root"
    ssh_port: int = 22


Part = tuple[str, str]
"""(field of a cluster or of a node group, why it cannot be served)"""


class MachineProvider(Protocol):
    """A source of machines. What changes them is idempotent: asking twice changes nothing the second time."""

    name: ClassVar[str]

    def refused(self, cluster: Cluster) -> Iterable[Part]:
        """What of a cluster's own fields it cannot do for the machines that it shall make."""
        ...

    def refused_group(self, group: NodeGroup) -> Iterable[Part]:
        """The same of a group whose machines it shall make."""
        ...

    def provides(self, service: Service) -> bool:
        """Whether a service of a cluster is there with its machines."""
        ...

    def remarks(self, group: NodeGroup) -> Iterable[str]:
        """What it does otherwise than the group says, for people who look at the plan."""
        ...

    async def create(self, requests: Sequence[MachineRequest], progress: Progress | None = None) -> list[Machine]:
        """Make what is missing and start what is stopped; return the requested machines once SSH answers."""
        ...

    async def machines(self) -> list[Machine]:
        """Every machine of this provider, in a stable order."""
        ...

    async def destroy(self, names: Sequence[str], progress: Progress | None = None) -> None:
        """Remove machines with their disks; a name that does not exist is already destroyed."""
        ...
