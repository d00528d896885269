"""What follows from hosts that run no programs of ours: all that is done about them is done from outside, by calls."""

from __future__ import annotations

from raijin.platforms.base import Context, Hop, Node
from raijin.platforms.ordinary import Ordinary


class ByCalls(Ordinary):
    """A part of `Platform` for its classes to inherit: there is nothing to lay down on a host, or to take back."""

    bootstrap_kubeconfig = ""
    static_pods = ""
    api_servers = None

    def ports(self, context: Context, node: Node) -> dict[int, str]:
        del context, node
        return {}

    def prepare(self, context: Context, node: Node) -> None:
        del context, node

    def equip(self, context: Context, node: Node) -> None:
        del context, node

    def services(self, context: Context, node: Node) -> None:
        del context, node

    def images(self, context: Context, node: Node) -> None:
        del context, node

    def admit(self, context: Context, node: Node) -> None:
        del context, node

    def hop_images(self, context: Context, node: Node, hop: Hop) -> None:
        del context, node, hop

    def revoke(self, context: Context, node: Node) -> None:
        del context, node

    def pack(self, context: Context, node: Node) -> None:
        del context, node

    def back_up(self, context: Context, node: Node) -> None:
        del context, node

    def secrets(self, cluster: str, node: Node) -> list[str]:
        """What is kept is the cluster's, not a host's."""
        del cluster, node
        return []
