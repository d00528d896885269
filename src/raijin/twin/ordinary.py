"""What the twin of a distribution says where it has nothing of its own to say: for its class to inherit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from raijin.model.cluster import Cluster as Defined
from raijin.twin.cluster import CNI_FOLDER
from raijin.twin.host import Host

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite


class OrdinaryTwin:
    """A part of `PlatformTwin`."""

    def family(self, cluster: Defined) -> str:
        del cluster
        return "debian"

    def network_ready(self, host: Host) -> bool:
        return any(True for _ in host.below(CNI_FOLDER))

    def names(self, cluster: Defined) -> Mapping[str, tuple[str, ...]]:
        del cluster
        return {}

    def moved(self, site: TwinSite) -> None:
        del site

    def keeps(self, host: Host) -> bool:
        del host
        return False

    def probe(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> bool | None:
        del site, host, argv
        return None
