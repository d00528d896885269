"""The members of the session's etcd as people see them, and which hosts a person means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from raijin.app import observing
from raijin.app.planning import context_of
from raijin.app.reaching import members_of, open_pool
from raijin.app.session import Session
from raijin.errors import KubernetesError, NotFound, Unsupported
from raijin.facts.etcd import EtcdMember, EtcdState
from raijin.model.node_group import NodeRole
from raijin.platforms import platform_of
from raijin.platforms.base import Context
from raijin.platforms.etcd import member_at


@dataclass(frozen=True, slots=True)
class MemberRow:
    """host: empty where the definition has none at its address. size and in_use in bytes, lag in log entries."""

    id: str
    name: str
    host: str
    state: str
    size: int
    in_use: int
    lag: int
    version: str
    remark: str


@dataclass(frozen=True, slots=True)
class Members:
    rows: tuple[MemberRow, ...]
    alarms: tuple[str, ...]
    quorum: int
    healthy: bool

    def to_json(self) -> dict[str, Any]:
        rows = [{name: getattr(row, name) for name in MemberRow.__slots__} for row in self.rows]
        return {"members": rows, "alarms": list(self.alarms), "quorum": self.quorum, "healthy": self.healthy}


async def members(session: Session) -> Members:
    """Raises Unsupported where Raijin looks after no etcd, KubernetesError where none answers."""
    cluster, platform = session.cluster, platform_of(session.cluster)
    access = platform.etcd(cluster)
    if access is None:
        raise Unsupported(f"there is no etcd of {cluster.name} that Raijin looks after")
    placed = session.definition.hosts_of(cluster)
    planes = [(p.host, p.role) for p in placed if p.role is NodeRole.CONTROL_PLANE]
    async with open_pool(session) as pool:
        nodes, _ = await observing.look_at(pool, platform, planes, for_plan=True)
        context = context_of(session, nodes)
        state = await platform.etcd_state(pool, [node.name for node in context.started], access)
    if state is None and any(node.parts.sqlite for node in context.nodes):
        raise Unsupported(f"{cluster.name} is kept in SQLite, without etcd", remedy="see docs/how-to/k3s.md to move it")
    if state is None:
        raise KubernetesError(
            f"etcd of {cluster.name} answers on no control plane host",
            remedy="look at `raijin cluster logs HOST --part etcd`; without a quorum, restore a backup",
        )
    return _rows(context, state)


def _rows(context: Context, state: EtcdState) -> Members:
    seen = replace(context, etcd=state)
    at = {member.id: node.name for node in context.nodes if (member := member_at(seen, node)) is not None}
    rows = (
        MemberRow(
            member.id, member.name, at.get(member.id, ""), _word(member), member.size, member.in_use,
            state.lag(member) if member.healthy else 0, member.version, member.failure,
        )
        for member in state.members
    )  # fmt: skip
    return Members(tuple(rows), state.alarms, state.quorum, state.healthy)


def _word(member: EtcdMember) -> str:
    if not member.healthy:
        return "broken"
    return "learner" if member.learner else "leader" if member.leader else "voter"


def choose(session: Session, names: Sequence[str], *, planes: bool = False) -> None:
    """Let the next verb be about these hosts, by name or address. planes: only control plane hosts are meant.

    Raises NotFound.
    """
    known = dict(_known(session))
    addresses = {str(p.host.address): p.name for p in session.definition.hosts_of(session.cluster)}
    hosts = tuple(addresses.get(name, name) for name in names)
    for host in hosts:
        if host not in known:
            raise NotFound(f"{host} is no host of {session.cluster.name}", remedy=f"there are {', '.join(known)}")
        if planes and known[host] != NodeRole.CONTROL_PLANE.value:
            raise NotFound(
                f"{host} is a {known[host]}: it has no etcd member", remedy="see `raijin cluster etcd members`"
            )
    session.hosts = hosts


def _known(session: Session) -> Iterable[tuple[str, str]]:
    for placed in session.definition.hosts_of(session.cluster):
        yield placed.name, placed.role.value
    for name, member in members_of(session).items():
        yield name, member.role
