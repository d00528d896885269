"""Facts of hosts, on request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from raijin.app import observing
from raijin.app.session import Session
from raijin.app.targets import targets_of
from raijin.app.tools import outside_targets
from raijin.errors import HostError
from raijin.model.host import Host
from raijin.platforms import platform_of, served
from raijin.platforms.platform import Platform
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool


async def inventory(session: Session, names: Sequence[str]) -> tuple[dict[str, HostView], list[HostError]]:
    """The facts of the named hosts (default: all of the site), and why some could not be had. Raises NotFound."""
    definition = session.definition
    hosts = [definition.host(name) for name in names] if names else list(definition.site().hosts)
    pool = Pool(targets_of(hosts, definition, session.home))
    platforms = _own_ways(session, hosts, pool)

    async def one(name: str) -> HostView | HostError:
        try:
            found = await platforms[name].look(pool, name) if name in platforms else None
            return found or await observing.facts_of(pool, name)
        except HostError as error:
            return error

    try:
        found = await asyncio.gather(*(one(host.name) for host in hosts))
    finally:
        await pool.close()
    pairs = list(zip((host.name for host in hosts), found, strict=True))
    facts = {name: value for name, value in pairs if not isinstance(value, HostError)}
    return facts, [value for _, value in pairs if isinstance(value, HostError)]


def _own_ways(session: Session, hosts: Sequence[Host], pool: Pool) -> dict[str, Platform]:
    """The hosts that only the platform of their cluster can ask; the pool learns how they are reached."""
    found: dict[str, Platform] = {}
    for cluster in session.definition.clusters:
        if served(cluster.type):
            placed = {item.name for item in session.definition.hosts_of(cluster)}
            own = outside_targets(replace(session, cluster_name=cluster.name), [h for h in hosts if h.name in placed])
            pool.learn(own)
            found |= dict.fromkeys(own, platform_of(cluster))
    return found
