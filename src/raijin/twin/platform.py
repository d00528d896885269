"""What the twin must know of a distribution, beside what is the same for all.

A platform without one is refused by name (see TWINS in the package).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from raijin.model.cluster import Cluster as Defined
from raijin.model.cluster import ClusterType
from raijin.transport.base import Completed
from raijin.transport.pool import Target
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite


class PlatformTwin(Protocol):
    """The simulated side of one distribution."""

    type: ClusterType

    def family(self, cluster: Defined) -> str:
        """Of the Linux that the hosts of a definition must run: `debian` where it does not matter, or `rhel`."""
        ...

    def names(self, cluster: Defined) -> Mapping[str, tuple[str, ...]]:
        """The DNS names that a definition needs, with what they resolve to in a rehearsal."""
        ...

    def moved(self, site: TwinSite) -> None:
        """A change came by the API: what follows of it by itself."""
        ...

    def lives(self, host: Host) -> bool:
        """Whether the node's agent runs."""
        ...

    def holds(self, host: Host) -> bool:
        """Whether data of a cluster lies on this host: with the last of it the cluster is gone."""
        ...

    def network_ready(self, host: Host) -> bool:
        """Whether the runtime of this host was told a container network."""
        ...

    def carries(self, host: Host, address: str) -> bool:
        """Whether something that came with the cluster would carry a virtual address on this host."""
        ...

    def outside(self, site: TwinSite, targets: Mapping[str, Target]) -> Mapping[str, Target]:
        """The hosts that a program on this machine reaches, with a simulated program in its place."""
        ...

    def serves(self, site: TwinSite, host: Host) -> bool:
        """Whether the API server of this host answers."""
        ...

    def api_version(self, site: TwinSite) -> str:
        """The version that the API server says it is."""
        ...

    def ports(self, site: TwinSite, host: Host) -> Mapping[int, str]:
        """What listens on TCP, beside SSH: port and program."""
        ...

    def known_files(self, host: Host) -> Iterable[str]:
        """Those of the well-known files of facts/kubernetes.py that are there."""
        ...

    def keeps(self, host: Host) -> bool:
        """Whether what is on a host that has left is for people to wipe, who are told so."""
        ...

    def certificates(self, host: Host) -> Mapping[str, int]:
        """Those of the node that are there, and for how many days each of them is made."""
        ...

    def member_runs(self, host: Host) -> bool:
        """Whether the etcd member of this host runs."""
        ...

    def unit_changed(self, site: TwinSite, host: Host, unit: str) -> None:
        """A unit was started, stopped or started anew."""
        ...

    def static_pod(self, host: Host, name: str) -> int:
        """When the container of a static pod was started, by the host's count of changes; 0 when it does not run."""
        ...

    def restart_static_pod(self, host: Host, name: str) -> bool: ...

    def probe(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> bool | None:
        """Whether a program of its own ends well, changing nothing; None when it is not known here."""
        ...

    def perform(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> float | None:
        """Run a program of its own; the seconds that it takes, None when it is not known here. Raises Failed."""
        ...

    def script(self, site: TwinSite, host: Host, script: str) -> Completed | None:
        """A script that is no program and no question about facts; None when it is not known here."""
        ...
