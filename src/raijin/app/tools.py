"""Hosts that are reached by a program of their distribution, which runs on this machine."""

from __future__ import annotations

import asyncio
import platform as machine
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from raijin.app.session import Session
from raijin.app.targets import ssh_target
from raijin.artifacts.catalogue import kind_of, normal_arch
from raijin.errors import ArtifactError
from raijin.model.host import Host
from raijin.model.node_group import NO_NODES, NodeRole
from raijin.platforms import platform_of, served
from raijin.platforms.base import Outside
from raijin.state.secrets import SecretStore
from raijin.state.snapshot import read_members
from raijin.transport.delivery import atomic_copy
from raijin.transport.pool import Target


def outside_targets(session: Session, hosts: Iterable[Host]) -> dict[str, Target]:
    """How the platform of the session's cluster reaches these hosts, where that is not by SSH."""
    if not served(session.cluster.type):
        return {}
    platform, outside = platform_of(session.cluster), outside_of(session)
    targets = {host.name: target for host in hosts if (target := platform.target(host, outside)) is not None}
    linux = _beside(session) if targets else frozenset()
    return {name: target for name, target in targets.items() if name not in linux}


def _beside(session: Session) -> frozenset[str]:
    """Hosts that are no nodes: they run an ordinary Linux, whatever the nodes run."""
    placed = session.definition.hosts_of(session.cluster)
    members = read_members(session.home, session.cluster.name)
    roles = {name: NodeRole(member.role) for name, member in members.items()} | {p.name: p.role for p in placed}
    return frozenset(name for name, role in roles.items() if role in NO_NODES)


def outside_of(session: Session) -> Outside:
    turn = asyncio.Lock()

    async def tool(name: str) -> Path:
        async with turn:
            return await tool_of(session, name)

    def secret(name: str) -> str:
        store = SecretStore(session.home)
        return store.get(name) if store.has(name) else ""

    return Outside(session.cluster, tool, secret, lambda host: ssh_target(host, session.home))


async def tool_of(session: Session, name: str) -> Path:
    """A locked program of the cluster's version for this machine, where it can be run. Raises ArtifactError."""
    entry = session.lock.find(name, str(session.cluster.kubernetes_version), normal_arch(machine.machine()))
    path = session.home / "tools" / entry.sha256[:16] / name
    if not path.is_file():
        source = await session.artifacts.ensure(entry)
        archived = kind_of(name).kind == "archive"
        put = partial(_unpack, source, path, name) if archived else partial(_copy, source, path, entry.sha256)
        await asyncio.to_thread(put)
    return path


def _copy(source: Path, path: Path, sha256: str) -> None:
    atomic_copy(source, path, sha256, 0o755)


def _unpack(source: Path, path: Path, name: str) -> None:
    """The program of that name out of a verified archive; nobody ever sees half of it."""
    import tarfile  # noqa: PLC0415  (every command comes by here before hosts are asked; few have a tool to unpack)

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tarfile.open(source) as tar, TemporaryDirectory(dir=path.parent) as folder:
        member = next((item for item in tar if item.isfile() and item.name.removeprefix("./") == name), None)
        content = tar.extractfile(member) if member is not None else None
        if content is None:
            remedy = "look what the release has now, and report it"
            raise ArtifactError(f"there is no {name} in {source.name}", remedy=remedy)
        part = Path(folder) / name
        with part.open("wb") as file:
            shutil.copyfileobj(content, file)
        part.chmod(0o755)
        part.replace(path)
