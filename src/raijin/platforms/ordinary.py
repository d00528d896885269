"""What a platform says where it has nothing of its own to say: for its class to inherit."""

from __future__ import annotations

from raijin.model.cluster import Cluster
from raijin.operations.program import Program
from raijin.plan.model import Call
from raijin.platforms.base import Balanced, Context, Node, Work


class Ordinary:
    """A part of `Platform`: etcd of its own on every control plane host, no secrets from the definition."""

    renews_itself = ""

    def given(self, cluster: Cluster) -> dict[str, str]:
        del cluster
        return {}

    def kept_outside(self, cluster: Cluster) -> bool:
        del cluster
        return False

    def found(self, context: Context) -> Work | None:
        del context
        return None

    def convert(self, context: Context) -> Program | None:
        del context
        return None

    def balanced(self, context: Context, *, starting: bool) -> tuple[Balanced, ...]:
        del context, starting
        return ()

    def complete(self, context: Context) -> Work | None:
        del context
        return None

    def names_by(self, cluster: Cluster) -> str:
        del cluster
        return ""

    def release_bootstrap(self, context: Context, node: Node) -> Call | None:
        del context, node
        return None

    def snapshot_kind(self, host: Node) -> str:
        del host
        return "etcd"

    def cluster_secrets(self, cluster: Cluster) -> list[str]:
        del cluster
        return []
