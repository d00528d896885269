"""What follows from hosts running programs: the same for every platform that is installed on a Linux over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raijin.facts.etcd import EtcdAccess, EtcdByCalls, EtcdState
from raijin.model.cluster import Cluster
from raijin.model.host import Host
from raijin.plan.handlers import CallContext
from raijin.plan.model import Call
from raijin.platforms import etcd, packing
from raijin.platforms.access import access_to
from raijin.platforms.base import Action, Context, Hop, Node, Outside
from raijin.platforms.ordinary import Ordinary
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool


class ByPrograms(Ordinary):
    """A part of `Platform` for its classes to inherit."""

    kubeconfig: str
    own_address = False

    def target(self, host: Host, outside: Outside) -> None:
        del host, outside

    async def look(self, pool: Pool, host: str) -> HostView | None:
        del pool, host
        return None

    def etcd(self, cluster: Cluster) -> EtcdAccess | None:
        del cluster
        return None

    async def etcd_state(
        self, pool: Pool, hosts: Sequence[str], access: EtcdAccess | EtcdByCalls | None
    ) -> EtcdState | None:
        return await etcd.if_told(etcd.ask(pool, hosts, access)) if isinstance(access, EtcdAccess) else None

    def advance(self, context: Context) -> Action | None:
        del context
        return None

    def arrival(self, context: Context, node: Node, hop: Hop) -> Call:
        """The kubelet is of the distribution's own version."""
        del node
        return Call("kube.wait-version", {**access_to(context, self.kubeconfig), "version": str(hop.version)})

    async def fetch_pack(self, context: CallContext, host: str, target: Path) -> None:
        connection = await context.pool.get(host)
        await connection.pull(packing.PACKED, target)
