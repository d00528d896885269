"""etcd of a Talos cluster, asked and changed by `talosctl etcd` (which prints tables: v1.12.0, cmd/talos/etcd.go)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from raijin.errors import HostError, KubernetesError
from raijin.facts.etcd import EtcdMember, EtcdState
from raijin.plan.handlers import CallContext
from raijin.platforms.etcd import require_removable, until_state, vote_fault
from raijin.platforms.talos.look import connection_to
from raijin.transport.pool import Pool

_GAP = re.compile(r"\s{2,}")
LEAVE_SECONDS = 120.0


def members_of(table: str) -> tuple[EtcdMember, ...]:
    """From `talosctl etcd members`: NODE ID HOSTNAME PEERS CLIENTS LEARNER. Who answers is not known by it."""
    rows = [_GAP.split(line.strip()) for line in table.splitlines() if line.strip()]
    found = []
    for row in rows[1:]:
        identity, name, peers, clients, learner = row[-5:]
        urls = [tuple(text.split(",")) for text in (peers, clients)]
        found.append(EtcdMember(identity, name, urls[0], urls[1], learner == "true", healthy=False))
    return tuple(found)


def leader_of(table: str) -> tuple[str, str, str]:
    """From `talosctl etcd status` of one machine: its own member, the leader it follows, and its errors."""
    rows = [_GAP.split(line.strip()) for line in table.splitlines() if line.strip()]
    heading, row = rows[0], rows[1]
    first = heading.index("MEMBER")
    errors = row[heading.index("ERRORS")] if len(row) > heading.index("ERRORS") else ""
    return row[first], row[heading.index("LEADER")], errors


async def ask(pool: Pool, hosts: Sequence[str]) -> tuple[EtcdState, str]:
    """The members, and the host that told. A member is healthy when its machine says that it follows a leader.

    Raises KubernetesError when none of the hosts can tell.
    """
    told = await asyncio.gather(*(_status(pool, host) for host in hosts))
    healthy = {member: leader for member, leader in told if member}
    last = "no control plane host can be asked"
    for host in hosts:
        try:
            connection = await connection_to(pool, host)
            members = members_of(await connection.talosctl("etcd", "members"))
        except HostError as error:
            last = str(error)
            continue
        if members:
            state = tuple(
                replace(member, healthy=member.id in healthy, leader=healthy.get(member.id) == member.id)
                for member in members
            )
            return EtcdState(state), host
    raise KubernetesError(f"etcd cannot be asked: {last}", remedy="look at `talosctl service etcd`, or restore")


async def _status(pool: Pool, host: str) -> tuple[str, str]:
    """The member that runs on a host and its leader; empty when it does not answer or has none."""
    try:
        connection = await connection_to(pool, host)
        member, leader, errors = leader_of(await connection.talosctl("etcd", "status"))
    except (HostError, IndexError, ValueError):
        return "", ""
    led = leader.strip("0") != "" and not errors
    return (member, leader) if led else ("", "")


async def remove_member(context: CallContext) -> None:
    """talos.remove-member: a member leaves by itself; one whose machine is dead is taken out by another one."""
    hosts, address = context.texts("hosts"), context.text("address")
    state, host = await ask(context.pool, hosts)
    member = state.at(address)
    if member is None:
        context.say("its etcd member is gone already")
        return
    require_removable(state, member, context.target)
    if member.healthy:
        connection = await connection_to(context.pool, context.target)
        if member.leader:
            await connection.talosctl("etcd", "forfeit-leadership")
        await connection.talosctl("etcd", "leave", timeout=LEAVE_SECONDS)
    else:
        connection = await connection_to(context.pool, host)
        await connection.talosctl("etcd", "remove-member", member.id)
    context.say(f"its etcd member {member.id} is out; {len(state.members) - 1} are left")


async def wait_for_member(context: CallContext) -> None:
    """talos.wait-member: until the member of one host votes and answers, and so do all others."""
    hosts, address = context.texts("hosts"), context.text("address")
    await until_state(
        context,
        lambda: ask(context.pool, hosts),
        lambda state: vote_fault(state, address),
        f"the etcd member of {context.target} to vote",
        remedy=f"look at `talosctl --nodes {address} service etcd`, then resume the run",
    )
