"""Filling the lock file. A sha256 comes from who publishes or builds the file, never from our own download of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from raijin.artifacts.bundle_format import BundleManifest
from raijin.artifacts.catalogue import kind_of
from raijin.artifacts.checksums import published_sha256
from raijin.artifacts.images import ImageRef, image_file_name
from raijin.artifacts.lock import ImageEntry, Lock, LockEntry
from raijin.artifacts.needs import ArtifactNeed, ImageNeed, Need
from raijin.errors import ArtifactError
from raijin.transport.base import ByteCounter

PARALLEL = 4
"""Requests at a time: enough to hide latency, few enough not to be throttled by a registry."""


class Pulled(Protocol):
    """What pulling an image tells; see `registry.Pulled`."""

    @property
    def digest(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...


class Publisher(Protocol):
    """Where checksums are published; `upstream.Upstream` is one."""

    async def text(self, url: str, what: str) -> tuple[str, str]: ...
    async def size(self, url: str) -> int: ...
    async def pull(self, ref: str, arch: str, *, digest: str = "", progress: ByteCounter | None = None) -> Pulled: ...


async def lock_from_upstream(needs: Iterable[Need], publisher: Publisher, progress: ByteCounter | None = None) -> Lock:
    """An entry for each need: files by their published checksum (only that is fetched), images by their digest.

    An image is pulled into the cache on the way: its digest names a manifest, the tar's own sha256 has to be made.
    Raises ArtifactError naming every need that could not be locked.
    """
    limit = asyncio.Semaphore(PARALLEL)

    async def one(need: Need) -> LockEntry | ImageEntry | ArtifactError:
        async with limit:
            try:
                if isinstance(need, ArtifactNeed):
                    return await _file(need, publisher)
                return await _image(need, publisher, progress)
            except ArtifactError as error:
                return error

    results = await asyncio.gather(*(one(need) for need in dict.fromkeys(needs)))
    failures = [result for result in results if isinstance(result, ArtifactError)]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ArtifactError(
            f"{len(failures)} artifacts could not be locked; the first: {failures[0].message}",
            remedy=failures[0].remedy,
            detail="\n".join(failure.message for failure in failures),
        )
    return Lock(
        tuple(result for result in results if isinstance(result, LockEntry)),
        tuple(result for result in results if isinstance(result, ImageEntry)),
    )


def lock_from_bundle(manifest: BundleManifest) -> Lock:
    """The lock for a definition that is served from this bundle alone: its own entries, as its builder vouches."""
    return Lock(manifest.lock.artifacts, manifest.lock.images)


async def _file(need: ArtifactNeed, publisher: Publisher) -> LockEntry:
    kind = kind_of(need.name)
    url, file = kind.url(need.version, need.arch), kind.file_name(need.version, need.arch)
    text, source = await publisher.text(kind.checksum_url(need.version, need.arch), f"the checksum of {need}")
    return LockEntry(
        need.name,
        need.version,
        need.arch,
        kind.kind,
        file,
        published_sha256(text, file, source),
        await publisher.size(url),
        url,
        kind.archive_members(need.version, need.arch),
        source,
    )


async def _image(need: ImageNeed, publisher: Publisher, progress: ByteCounter | None) -> ImageEntry:
    ref = str(ImageRef.parse(need.ref))
    pulled = await publisher.pull(ref, need.arch, progress=progress)
    return ImageEntry(
        ref, need.arch, image_file_name(ref, need.arch), pulled.sha256, pulled.size, pulled.digest, "registry"
    )
