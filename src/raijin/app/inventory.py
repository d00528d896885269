"""Facts of hosts, on request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from raijin.app import observing
from raijin.app.reaching import ways_to
from raijin.app.session import Session
from raijin.app.targets import targets_of
from raijin.app.tools import outside_targets
from raijin.errors import HostError
from raijin.model.host import Host
from raijin.platforms import platform_of, served
from raijin.platforms.platform import Platform
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is known of hosts, and why some could not be asked."""

    views: dict[str, HostView]
    errors: tuple[HostError, ...]

    def to_json(self) -> dict[str, Any]:
        """summaries: of each host in words, as for a table (see `HostView.summary`)."""
        return {
            "hosts": {name: view.facts.to_json() for name, view in self.views.items()},
            "summaries": {name: view.summary() for name, view in self.views.items()},
            "errors": [error.problem() for error in self.errors],
        }


async def inventory(session: Session, names: Sequence[str]) -> Inventory:
    """The facts of the named hosts (default: all of the site). Raises NotFound."""
    definition = session.definition
    hosts = [definition.host(name) for name in names] if names else list(definition.site().hosts)
    if session.twin is not None:  # a rehearsal has the hosts of one cluster, and reaches no other
        pool = Pool(ways_to(session, hosts))
        platforms = dict.fromkeys(outside_targets(session, hosts), platform_of(session.cluster))
    else:
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
    return Inventory(facts, tuple(value for _, value in pairs if isinstance(value, HostError)))


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
