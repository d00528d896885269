"""Binaries and images before they are needed: locked, listed, fetched, bundled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raijin.app.session import Session
from raijin.app.supply import needs_of
from raijin.artifacts import bundle as bundles_module
from raijin.artifacts.lock import Lock, write_lock
from raijin.artifacts.locking import lock_from_upstream
from raijin.artifacts.needs import ArtifactNeed, Need
from raijin.errors import UsageError
from raijin.model.version import Version
from raijin.platforms import platform_of
from raijin.platforms.versions import way

DEFAULT_ARCH = "amd64"


@dataclass(frozen=True, slots=True)
class Listed:
    name: str
    version: str
    arch: str
    locked: bool
    cached: bool
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def _needs(session: Session, archs: Sequence[str], lock: Lock | None, start: str | None = None) -> list[Need]:
    """What the cluster needs; with `start`, also what an upgrade from that version leads through."""
    cluster = session.cluster
    wanted = archs or sorted({str(p.host.arch or DEFAULT_ARCH) for p in session.definition.hosts_of(cluster)})
    versions = way_of(session, start) if start else [cluster.kubernetes_version]
    needs = (need for v in versions for need in needs_of(cluster, str(v), wanted or [DEFAULT_ARCH], lock))
    return list(dict.fromkeys(needs))


def way_of(session: Session, start: str) -> list[Version]:
    """The versions from `start` to the wanted one. Raises UsageError."""
    first, platform = Version.parse(start), platform_of(session.cluster)
    if first is None:
        raise UsageError(
            f"{start} is not a full version", remedy=f"write it as in {session.cluster.kubernetes_version}"
        )
    try:
        return way(first, session.cluster.kubernetes_version, platform.known)
    except KeyError as missing:
        raise UsageError(
            f"no release of {first.major}.{missing.args[0]} is known, and the upgrade leads through one",
            remedy="upgrade to it first, with its full version in the definition",
        ) from missing


async def make_lock(
    session: Session, archs: Sequence[str], *, from_bundles: bool, images: bool, start: str | None = None
) -> Lock:
    """Write the lock file beside the definition. Raises ArtifactError when a checksum is published nowhere.

    start: the version that the cluster runs now, when the way from there leads through others.
    """
    if from_bundles or session.offline:
        lock = session.artifacts.offered()
    else:
        needs = [n for n in _needs(session, archs, None, start) if images or isinstance(n, ArtifactNeed)]
        async with session.artifacts.connect() as upstream:
            lock = await lock_from_upstream(needs, upstream)
    write_lock(session.lock_file, lock)
    return lock


def listing(session: Session, archs: Sequence[str]) -> list[Listed]:
    rows = []
    for need in _needs(session, archs, session.lock):
        if isinstance(need, ArtifactNeed):
            entry, name, version = session.lock.get(need.name, need.version, need.arch), need.name, need.version
            cached = entry is not None and session.artifacts.path(entry) is not None
        else:
            image = session.lock.get_image(need.ref, need.arch)
            name, _, version = need.ref.rpartition(":")
            cached = image is not None and session.artifacts.path(image) is not None
            rows.append(Listed(name, version, need.arch, image is not None, cached, image.sha256 if image else ""))
            continue
        rows.append(Listed(name, version, need.arch, entry is not None, cached, entry.sha256 if entry else ""))
    return rows


async def fetch_all(session: Session) -> list[Path]:
    return await session.artifacts.ensure_all(session.lock.entries())


async def create_bundle(session: Session, target: Path, folder: Path | None) -> dict[str, int]:
    """From a folder of one's own, else from everything that the lock names."""
    if folder is not None:
        manifest = bundles_module.create_from_directory(folder, target)
    else:
        manifest = await bundles_module.create(session.lock, session.artifacts, target)
    return {"artifacts": len(manifest.lock.artifacts), "images": len(manifest.lock.images)}


def import_bundle(home: Path, source: Path) -> dict[str, int]:
    manifest = bundles_module.import_bundle(source, home)
    return {"artifacts": len(manifest.lock.artifacts), "images": len(manifest.lock.images)}


def verify_bundle(source: Path) -> list[str]:
    """Every fault of a bundle, in words."""
    return [str(finding) for finding in bundles_module.verify(source).findings]


def bundles(home: Path) -> list[dict[str, Any]]:
    return [
        {"bundle": str(record.origin), "artifacts": len(record.lock.artifacts), "images": len(record.lock.images)}
        for record in bundles_module.imported(home)
    ]
