"""What the twins of distributions have alike whose hosts run an ordinary Linux: static pods, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from raijin.transport.pool import Target
from raijin.twin.host import Host
from raijin.twin.ordinary import OrdinaryTwin

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite


class OnLinux(OrdinaryTwin):
    """A part of `PlatformTwin` for its classes to inherit."""

    @property
    def static_pods(self) -> str:
        """The folder of their manifests."""
        raise NotImplementedError

    def lives(self, host: Host) -> bool:
        raise NotImplementedError

    def carries(self, host: Host, address: str) -> bool:
        """kube-vip is a static pod; keepalived is looked after by the site."""
        path = f"{self.static_pods}/kube-vip.yaml"
        return host.entry(path) is not None and address in host.text(path)

    def static_pod(self, host: Host, name: str) -> int:
        manifest = host.entry(f"{self.static_pods}/{name}.yaml")
        if manifest is None or not self.lives(host):
            return 0
        started = host.things.get(("pod", name))
        return max(manifest.at, started if isinstance(started, int) else 0)

    def restart_static_pod(self, host: Host, name: str) -> bool:
        if not self.static_pod(host, name):
            return False
        host.things["pod", name] = host.tick()
        return True

    def outside(self, site: TwinSite, targets: Mapping[str, Target]) -> Mapping[str, Target]:
        del site
        return targets
