"""Hosts that are reached by a program of their distribution, which runs on this machine."""

from __future__ import annotations

import asyncio
import platform as machine
from collections.abc import Iterable
from pathlib import Path

from raijin.app.session import Session
from raijin.artifacts.catalogue import normal_arch
from raijin.model.host import Host
from raijin.platforms import platform_of, served
from raijin.platforms.base import Outside
from raijin.state.secrets import SecretStore
from raijin.transport.delivery import atomic_copy
from raijin.transport.pool import Target


def outside_targets(session: Session, hosts: Iterable[Host]) -> dict[str, Target]:
    """How the platform of the session's cluster reaches these hosts, where that is not by SSH."""
    if not served(session.cluster.type):
        return {}
    platform, outside = platform_of(session.cluster), outside_of(session)
    return {host.name: target for host in hosts if (target := platform.target(host, outside)) is not None}


def outside_of(session: Session) -> Outside:
    turn = asyncio.Lock()

    async def tool(name: str) -> Path:
        async with turn:
            return await tool_of(session, name)

    def secret(name: str) -> str:
        store = SecretStore(session.home)
        return store.get(name) if store.has(name) else ""

    return Outside(session.cluster.name, tool, secret)


async def tool_of(session: Session, name: str) -> Path:
    """A locked program of the cluster's version for this machine, where it can be run. Raises ArtifactError."""
    entry = session.lock.find(name, str(session.cluster.kubernetes_version), normal_arch(machine.machine()))
    path = session.home / "tools" / entry.sha256[:16] / name
    if not path.is_file():
        source = await session.artifacts.ensure(entry)
        await asyncio.to_thread(atomic_copy, source, path, entry.sha256, 0o755)
    return path
