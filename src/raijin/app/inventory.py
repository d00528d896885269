"""Facts of hosts, on request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from raijin.app import observing
from raijin.app.session import Session
from raijin.app.targets import targets_of
from raijin.errors import HostError
from raijin.platforms.view import HostView
from raijin.transport.pool import Pool


async def inventory(session: Session, names: Sequence[str]) -> tuple[dict[str, HostView], list[HostError]]:
    """The facts of the named hosts (default: all of the site), and why some could not be had. Raises NotFound."""
    definition = session.definition
    hosts = [definition.host(name) for name in names] if names else list(definition.site().hosts)
    pool = Pool(targets_of(hosts, definition, session.home))

    async def one(name: str) -> HostView | HostError:
        try:
            return await observing.facts_of(pool, name)
        except HostError as error:
            return error

    try:
        found = await asyncio.gather(*(one(host.name) for host in hosts))
    finally:
        await pool.close()
    pairs = list(zip((host.name for host in hosts), found, strict=True))
    facts = {name: value for name, value in pairs if not isinstance(value, HostError)}
    return facts, [value for _, value in pairs if isinstance(value, HostError)]
