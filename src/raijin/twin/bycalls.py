"""What the twins of distributions have alike on whose machines no program of Raijin runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from raijin.transport.base import Completed
from raijin.twin.host import Host
from raijin.twin.ordinary import OrdinaryTwin

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite


class ByCallsTwin(OrdinaryTwin):
    """A part of `PlatformTwin` for its classes to inherit: nothing is done, or seen, by programs and scripts."""

    def carries(self, host: Host, address: str) -> bool:
        del host, address
        return False

    def ports(self, site: TwinSite, host: Host) -> Mapping[int, str]:
        del site, host
        return {}

    def known_files(self, host: Host) -> Iterable[str]:
        del host
        return ()

    def certificates(self, host: Host) -> Mapping[str, int]:
        del host
        return {}

    def unit_changed(self, site: TwinSite, host: Host, unit: str) -> None:
        del site, host, unit

    def static_pod(self, host: Host, name: str) -> int:
        del host, name
        return 0

    def restart_static_pod(self, host: Host, name: str) -> bool:
        del host, name
        return False

    def perform(self, site: TwinSite, host: Host, argv: tuple[str, ...]) -> float | None:
        del site, host, argv
        return None

    def script(self, site: TwinSite, host: Host, script: str) -> Completed | None:
        del site, host, script
        return None
