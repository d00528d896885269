"""The seed's worker commands, as edits of the definition: what is typed ends in the file, and the file is applied."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic_core import PydanticCustomError

from raijin.app import observing
from raijin.app.planning import context_of
from raijin.app.reaching import open_pool
from raijin.app.session import Session
from raijin.app.status import status_of
from raijin.definition.edit import Edits
from raijin.errors import NotFound, PlanRefused, UsageError
from raijin.model.duration import parse_duration
from raijin.model.names import parse_ip
from raijin.model.node_group import NodeRole
from raijin.platforms import platform_of


@dataclass(frozen=True, slots=True)
class WorkerRow:
    name: str
    address: str
    group: str
    role: str
    state: str = ""
    version: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Workers:
    rows: tuple[WorkerRow, ...]

    def to_json(self) -> dict[str, Any]:
        return {"workers": [asdict(row) for row in self.rows]}


def add_to_definition(session: Session, name: str, *, address: str | None, role: str, group: str | None) -> None:
    """Go on with a definition that has this worker (see `adding`)."""
    session.propose(adding(session, name, address=address, role=role, group=group))


def adding(session: Session, name: str, *, address: str | None, role: str, group: str | None) -> Edits:
    """Put a host into the site (if it is new) and into a group of its role (made if there is none)."""
    definition, cluster = session.definition, session.cluster
    wanted = NodeRole(role.upper())
    placed = {p.name: p for p in definition.hosts_of(cluster)}
    if name in placed:
        raise UsageError(f"{name} is already in group {placed[name].group.name} of {cluster.name}")
    known = next((host for host in definition.site().hosts if host.name == name), None)
    if known is not None and address and str(known.address) != address:
        raise UsageError(
            f"{name} is defined with the address {known.address}, not {address}",
            remedy="leave --ip out, or correct the host in the file",
        )
    edits = Edits(list(session.paths))
    if known is None:
        edits.add_host({"name": name, **({"address": address} if address else {})})
    edits.add_to_group(name, group=_group_for(session, wanted, group, edits), cluster=cluster.name)
    return edits


def warnings(session: Session, name: str) -> list[str]:
    """What speaks against a host, as far as it is known without asking it."""
    site = session.definition.site()
    host = next(item for item in site.hosts if item.name == name)
    address = str(host.address)
    elsewhere = host.is_local or host.ssh.jump or site.ssh.jump  # a jump host knows names of its own
    if elsewhere or parse_ip(address) is not None:
        return []
    try:
        socket.getaddrinfo(address, None)
    except OSError:
        return [f"the name {address} is not known here: give {name} an address with --ip"]
    return []


def _group_for(session: Session, role: NodeRole, wanted: str | None, edits: Edits) -> str:
    named = [group for group in session.cluster.node_groups if not session.definition.is_counted(group)]
    groups = [group for group in named if group.role is role]
    if wanted:
        chosen = next((group for group in session.cluster.node_groups if group.name == wanted), None)
        if chosen is None:
            raise NotFound(f"{session.cluster.name} has no node group {wanted}")
        if chosen not in named:
            raise PlanRefused(f"the machines of {wanted} are counted, not named", remedy="change its `count`")
        return chosen.name
    if groups:
        return groups[0].name
    name = {NodeRole.WORKER: "workers"}.get(role, role.value.lower())
    if any(group.name == name for group in session.cluster.node_groups):  # its machines are counted
        name = f"named-{name}"
    edits.add_group({"name": name, "role": role.value, "hosts": []}, cluster=session.cluster.name)
    return name


def remove_from_definition(session: Session, name: str) -> None:
    """Go on with a definition that has not this worker (see `removing`)."""
    session.propose(removing(session, name))


def removing(session: Session, name: str) -> Edits:
    """Take a worker out of its group; the host stays in the site. Raises PlanRefused for a control plane host."""
    placed = next((p for p in session.definition.hosts_of(session.cluster) if p.name == name), None)
    if placed is None:
        raise NotFound(f"{name} is no worker of {session.cluster.name}", remedy="see `raijin worker list`")
    if placed.role is NodeRole.CONTROL_PLANE:
        raise PlanRefused(f"{name} is a control plane host", remedy="edit the definition, and look at the plan")
    if session.definition.is_counted(placed.group):
        raise PlanRefused(
            f"{name} is one of the machines that {placed.group.name} counts, and the last ones go first",
            remedy="lower its `count`",
        )
    edits = Edits(list(session.paths))
    edits.remove_from_group(name, group=placed.group.name, cluster=session.cluster.name)
    return edits


async def list_workers(session: Session, *, with_status: bool) -> Workers:
    placed = [p for p in session.definition.hosts_of(session.cluster) if p.role is not NodeRole.CONTROL_PLANE]
    rows = [WorkerRow(p.name, str(p.host.address), p.group.name, p.role.value) for p in placed]
    if not with_status:
        return Workers(tuple(rows))
    seen = {host.name: host for host in (await status_of(session)).hosts}
    return Workers(
        tuple(
            replace(row, state=seen[row.name].state, version=seen[row.name].version, remark=seen[row.name].remark)
            for row in rows
        )
    )


async def join_command(session: Session, ttl_minutes: int) -> str:
    """What joins a host that Raijin does not manage, with a token of its own.

    Raises Unsupported where there is no such.
    """
    platform = platform_of(session.cluster)
    placed = [(p.host, p.role) for p in session.definition.hosts_of(session.cluster)]
    async with open_pool(session) as pool:
        planes = [(host, role) for host, role in placed if role is NodeRole.CONTROL_PLANE]
        nodes, _ = await observing.look_at(pool, platform, planes)
        context = context_of(session, nodes)
        return await platform.join_command(pool, context, ttl_minutes)


def minutes(text: str) -> int:
    """A span of time in whole minutes, at least one. Raises UsageError."""
    try:
        return max(1, round(parse_duration(text).total_seconds() / 60))
    except PydanticCustomError as error:
        raise UsageError(f"{text} {error.message()}", remedy="write it as in 30m or 2h") from error
