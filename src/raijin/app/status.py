"""What a cluster is like now: hosts beside nodes, for people and as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from raijin.app import observing
from raijin.app.planning import context_of
from raijin.app.reaching import departed_hosts, members_of, open_pool
from raijin.app.session import Session
from raijin.facts.cluster import ClusterState, NodeState
from raijin.platforms import platform_of
from raijin.platforms.base import Node
from raijin.state.member import Member


@dataclass(frozen=True, slots=True)
class HostStatus:
    """state: Ready, NotReady, not a node, unreachable, quarantined, leaving."""

    name: str
    role: str
    state: str
    version: str
    address: str
    remark: str


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    cluster: str
    version: str
    api: str
    hosts: tuple[HostStatus, ...]
    last_run: str

    @property
    def healthy(self) -> bool:
        return bool(self.hosts) and all(host.state == "Ready" for host in self.hosts)

    def headline(self) -> str:
        ready = sum(host.state == "Ready" for host in self.hosts)
        return f"{self.cluster} {self.version}: {ready} of {len(self.hosts)} nodes Ready; API: {self.api}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"healthy": self.healthy}


def from_json(data: Mapping[str, Any]) -> ClusterStatus:
    """From what `to_json` gave, on a server."""
    names = [field.name for field in fields(HostStatus)]
    hosts = tuple(HostStatus(**{name: str(host[name]) for name in names}) for host in data["hosts"])
    return ClusterStatus(data["cluster"], data["version"], data["api"], hosts, data["last_run"])


async def status_of(session: Session) -> ClusterStatus:
    cluster, members = session.cluster, members_of(session)
    departing = departed_hosts(session, members)
    wanted = [(placed.host, placed.role) for placed in session.definition.hosts_of(cluster)]
    async with open_pool(session, [host for host, _ in departing]) as pool:
        nodes, _ = await observing.look_at(pool, platform_of(cluster), [*wanted, *departing])
        context = context_of(session, nodes)
        state, why = await observing.cluster_state(pool, context)
    leaving = {host.name for host, _ in departing}
    hosts = tuple(_host(node, state, members, leaving) for node in nodes)
    api = "answers" if state else (why or "there is no cluster yet")
    return ClusterStatus(cluster.name, str(cluster.kubernetes_version), api, hosts, _last_run(session))


def _host(node: Node, state: ClusterState | None, members: Mapping[str, Member], leaving: set[str]) -> HostStatus:
    live = state.nodes.get(node.name) if state else None
    member = members.get(node.name)
    word, remark = _judge(node, live)
    if member and member.quarantine:
        word, remark = "quarantined", member.quarantine
    elif node.name in leaving:
        word, remark = "leaving", "no longer in the definition; `raijin apply` removes it"
    address = live.addresses[0] if live and live.addresses else str(node.host.address)
    return HostStatus(node.name, node.role.value, word, live.version if live else "", address, remark)


def _judge(node: Node, live: NodeState | None) -> tuple[str, str]:
    if node.facts is None:
        return "unreachable", node.absence
    if live is None:
        return "not a node", ""
    remark = "cordoned" if live.unschedulable else live.reason
    return ("Ready" if live.ready else "NotReady"), remark


def _last_run(session: Session) -> str:
    if not session.has_state:
        return ""
    from raijin.state.runs import Runs  # noqa: PLC0415

    runs = Runs(session.database).history(cluster=session.cluster.name, limit=1)
    return f"{runs[0].id} {runs[0].verb} {runs[0].status}" if runs else ""
