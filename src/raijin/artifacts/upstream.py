"""A session with the outside: each thing is asked for at the mirror first, then upstream.

Mirror layout: what upstream has at https://HOST/PATH, the mirror has at {mirror}/HOST/PATH, checksum files included, so
that `wget -x` or any proxying web server makes one. Images: the image mirror is a registry that has HOST/REPOSITORY:TAG
at {image mirror}/v2/HOST/REPOSITORY (a port in HOST written _5000 for :5000); without one of its own it is the mirror's
scheme://host:port.

A source that lacks a thing or does not answer is passed over, with its reason kept for the message. A source that
serves a *wrong* thing ends the search: that must be seen, not healed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from raijin.artifacts.cache import Cache, mismatch
from raijin.artifacts.download import Wanted, download
from raijin.artifacts.images import ImageRef
from raijin.artifacts.lock import ImageEntry, LockEntry
from raijin.artifacts.registry import Pulled, Registry, upstream_base
from raijin.errors import ArtifactError
from raijin.transport.base import ByteCounter
from raijin.transport.http import Http, HttpFailure, Retry, shown

S = TypeVar("S")
T = TypeVar("T")

_ONLY_BUNDLED = "it exists only in the bundle that it was built into"


class Upstream:
    """Made by `connect`; one connection pool for as long as it lasts."""

    def __init__(self, http: Http, cache: Cache, mirror: str, image_mirror: str) -> None:
        self._http = http
        self._cache = cache
        self._mirror = mirror.rstrip("/")
        parts = urlsplit(self._mirror)
        self._image_mirror = image_mirror or (f"{parts.scheme}://{parts.netloc}" if mirror else "")

    def addresses(self, url: str) -> list[str]:
        """Where a file of upstream may be, in the order of asking."""
        parts = urlsplit(url)
        return [*([f"{self._mirror}/{parts.netloc}{parts.path}"] if self._mirror else []), url]

    async def file(self, entry: LockEntry, progress: ByteCounter | None = None) -> Path:
        """The file of a lock entry, verified, in the cache."""
        if not entry.url:
            raise _unobtainable(str(entry), [_ONLY_BUNDLED], permanent=True)
        wanted = Wanted(entry.sha256, entry.size, str(entry))

        async def one(url: str) -> Path:
            return await download(self._http, url, wanted, self._cache, progress=progress)

        return await self._first(str(entry), self.addresses(entry.url), one)

    async def image(self, entry: ImageEntry, progress: ByteCounter | None = None) -> Path:
        """The tar of an image's lock entry, verified, in the cache."""
        if not entry.digest:
            raise _unobtainable(str(entry), [_ONLY_BUNDLED], permanent=True)
        pulled = await self.pull(entry.ref, entry.arch, digest=entry.digest, progress=progress)
        if pulled.sha256 != entry.sha256:
            self._cache.remove(pulled.sha256)
            raise mismatch(f"the tar of {entry}", f"manifest {pulled.digest}", entry.sha256, pulled.sha256)
        return self._cache.path(pulled.sha256)

    async def pull(self, ref: str, arch: str, *, digest: str = "", progress: ByteCounter | None = None) -> Pulled:
        """An image from the image mirror or from its own registry; its tar is then in the cache."""
        parsed = ImageRef.parse(ref)
        own = Registry(self._http, upstream_base(parsed), parsed.repository)
        mirrored = Registry(self._http, self._image_mirror, parsed.name.replace(":", "_"))
        sources = [mirrored, own] if self._image_mirror else [own]

        async def one(source: Registry) -> Pulled:
            return await source.pull(parsed, arch, self._cache, digest=digest, progress=progress)

        return await self._first(f"image {ref} ({arch})", sources, one)

    async def text(self, url: str, what: str) -> tuple[str, str]:
        """(text, the address it came from, fit for messages) of a small file such as published checksums."""

        async def one(address: str) -> tuple[str, str]:
            reply = await self._http.fetch(address)
            return reply.body.decode(errors="replace"), shown(address)

        return await self._first(what, self.addresses(url), one)

    async def size(self, url: str) -> int:
        """Bytes of a file that upstream says it has; 0 when no source says. Never an error: a size is a courtesy."""
        for address in self.addresses(url):
            try:
                reply = await self._http.fetch(address, method="HEAD")
            except HttpFailure:
                continue
            length = reply.headers.get("content-length", "")
            if length.isdigit():
                return int(length)
        return 0

    async def _first(self, what: str, sources: list[S], ask: Callable[[S], Awaitable[T]]) -> T:
        failures: list[HttpFailure] = []
        for source in sources:
            try:
                return await ask(source)
            except HttpFailure as failure:
                failures.append(failure)
        raise _unobtainable(
            what, [str(failure) for failure in failures], permanent=all(not item.transient for item in failures)
        )


@asynccontextmanager
async def connect(
    cache: Cache, *, mirror: str = "", image_mirror: str = "", retry: Retry | None = None
) -> AsyncIterator[Upstream]:
    """A session; its connections are closed when the block ends."""
    async with Http(retry=retry) as http:
        yield Upstream(http, cache, mirror, image_mirror)


def _unobtainable(what: str, reasons: list[str], *, permanent: bool) -> ArtifactError:
    remedy = (
        "check the version and architecture and the address of the mirror, or bring it with `raijin bundle import FILE`"
        if permanent
        else "check the network and proxy and run the command again, or use --mirror URL or `raijin bundle import FILE`"
    )
    return ArtifactError(f"cannot obtain {what}: {'; '.join(reasons)}", remedy=remedy, detail="\n".join(reasons))
