"""Which hosts a command is about, and the open connections to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from raijin.app.choosing import host_to_prepare
from raijin.app.session import Session
from raijin.app.targets import recalled, targets_of
from raijin.app.tools import outside_targets
from raijin.model.host import Host
from raijin.model.node_group import NodeRole
from raijin.platforms import platform_of
from raijin.platforms.access import open_cluster
from raijin.state.member import Member
from raijin.state.snapshot import read_members
from raijin.transport.pool import Pool, Target

if TYPE_CHECKING:
    from raijin.app.asking import Ahead
    from raijin.transport.kube import Kube


@asynccontextmanager
async def open_pool(session: Session, extra: Iterable[Host] = (), ahead: Ahead | None = None) -> AsyncIterator[Pool]:
    """Connections to the hosts of the definition and to `extra` ones; closed at the end.

    Those that are being asked ahead are used, if the definition reaches their hosts in the same way; else they are
    closed, and `ahead` answers no more.
    """
    hosts = [placed.host for placed in session.definition.hosts_of(session.cluster)]
    hosts += [host for host, _ in wanted_hosts(session)]
    targets = ways_to(session, [*hosts, *extra])
    if ahead is not None and ahead.reaches(targets):
        pool = ahead.pool
        pool.learn(targets)
    else:
        pool = Pool(targets)
        if ahead is not None:
            await ahead.close()
    try:
        yield pool
    finally:
        await pool.close()


def ways_to(session: Session, hosts: Sequence[Host]) -> Mapping[str, Target]:
    """How these hosts are reached; in a rehearsal none is, and no password is asked for."""
    outside = outside_targets(session, hosts)
    if session.twin is not None:
        return {**session.twin.targets(hosts), **session.twin.outside(outside)}
    return {**targets_of(hosts, session.definition, session.home), **outside}


@asynccontextmanager
async def opened(session: Session, *, avoiding: Container[str] = ()) -> AsyncIterator[Kube]:
    """The API of the session's cluster. avoiding: control planes that are asked only where there is no other.

    Raises HostError and KubernetesError.
    """
    async with open_pool(session) as pool, api_of(session, pool, avoiding=avoiding) as kube:
        yield kube


def api_of(session: Session, pool: Pool, *, avoiding: Container[str] = ()) -> AbstractAsyncContextManager[Kube]:
    """The same by connections that are open already."""
    cluster = session.cluster
    planes = [p.name for p in session.definition.hosts_of(cluster) if p.role is NodeRole.CONTROL_PLANE]
    wanted = [name for name in planes if name not in avoiding] or planes
    path = platform_of(cluster).kubeconfig
    return open_cluster(pool, wanted, cluster.name, port=cluster.kubernetes.api_server_port, path=path)


def members_of(session: Session) -> dict[str, Member]:
    return read_members(session.home, session.cluster.name)


def wanted_hosts(session: Session) -> list[tuple[Host, NodeRole]]:
    """The hosts that the verb is about: those of the cluster, or the one that `prepare` names."""
    if session.only_host is not None:
        return [host_to_prepare(session, session.only_host)]
    return [(placed.host, placed.role) for placed in session.definition.hosts_of(session.cluster)]


def departed_hosts(session: Session, members: dict[str, Member]) -> list[tuple[Host, NodeRole]]:
    """Members that the definition no longer places: as the Site describes them, else as they were last reached."""
    placed = {p.name for p in session.definition.hosts_of(session.cluster)}
    known = {host.name: host for host in session.definition.site().hosts}
    return [
        (known.get(name) or recalled(member.target), NodeRole(member.role))
        for name, member in members.items()
        if name not in placed
    ]
