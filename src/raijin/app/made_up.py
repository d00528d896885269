"""A lock for rehearsals: what a lock file holds is taken from it, the rest is made up, because nothing is fetched."""

from __future__ import annotations

import hashlib

from raijin.app.session import Session
from raijin.app.supply import needs_of
from raijin.artifacts.catalogue import kind_of
from raijin.artifacts.images import image_file_name
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry
from raijin.artifacts.needs import ArtifactNeed, Need
from raijin.model.version import Version
from raijin.platforms import platform_of
from raijin.platforms.versions import way

BINARY_BYTES = 45_000_000
IMAGE_BYTES = 30_000_000
"""About what the files of Kubernetes 1.34 have on average."""


def made_up_lock(session: Session, held: Lock, start: str, notes: list[str]) -> Lock:
    """A lock that holds everything that the session's cluster needs. start: the version that an upgrade comes from."""
    cluster = session.cluster
    archs = sorted({str(placed.host.arch or "amd64") for placed in session.definition.hosts_of(cluster)})
    versions = [str(cluster.kubernetes_version)]
    if start and (first := Version.parse(start)):
        known = platform_of(cluster).known
        versions = [start, *(str(version) for version in way(first, cluster.kubernetes_version, known))]
    made = Lock(origin="the rehearsal")
    for version in dict.fromkeys(versions):
        base = held if held.artifacts else None
        for need in needs_of(cluster, version, archs, base):
            made = _with(made, held, need)
    missing = sum(not entry.source for entry in made.entries())
    if missing:
        notes.append(f"{missing} artifacts are in no lock file: their sizes and sums are made up")
    return made


def _with(made: Lock, held: Lock, need: Need) -> Lock:
    if isinstance(need, ArtifactNeed):
        entry = held.get(need.name, need.version, need.arch) or _binary(need.name, need.version, need.arch)
        return made.merged(Lock((entry,)))
    image = held.get_image(need.ref, need.arch)
    if image is None:
        image = ImageEntry(need.ref, need.arch, image_file_name(need.ref, need.arch), _sum(str(need)), IMAGE_BYTES)
    return made.merged(Lock((), (image,)))


def _binary(name: str, version: str, arch: str) -> LockEntry:
    kind = kind_of(name)
    file = kind.file_name(version, arch)
    return LockEntry(name, version, arch, kind.kind, file, _sum(f"{name} {version} {arch}"), BINARY_BYTES)


def _sum(text: str) -> str:
    return hashlib.sha256(f"rehearsed {text}".encode()).hexdigest()
