"""`Artifacts`: the file of a lock entry, from wherever it can be had, or one clear error.

Order: the cache; bundles (those given, then those imported, if their file is still there); the mirror; upstream. With
`offline` it ends after the bundles. Whatever the source, the file is verified against the lock before it is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from raijin.artifacts.bundle import imported
from raijin.artifacts.bundle_format import open_bundle
from raijin.artifacts.cache import Cache
from raijin.artifacts.lock import Entry, Lock, LockEntry
from raijin.errors import ArtifactError, ChecksumMismatch
from raijin.transport.base import ByteCounter

if TYPE_CHECKING:
    from raijin.artifacts.upstream import Upstream
    from raijin.transport.http import Retry

PARALLEL = 4
"""Files fetched at a time when the caller does not say otherwise."""


class Artifacts:
    """home: RAIJIN_HOME. mirror: see `upstream` for its layout. bundles: bundle files to use without importing them.

    image_mirror: a registry (scheme://host:port) that holds the images; by default the mirror's own host.
    parallel: fetches at a time; retry: patience with the network.
    """

    def __init__(
        self,
        home: Path,
        mirror: str | None = None,
        offline: bool = False,
        *,
        image_mirror: str | None = None,
        bundles: Sequence[Path] = (),
        parallel: int = PARALLEL,
        retry: Retry | None = None,
    ) -> None:
        self.home = home
        self.cache = Cache(home / "cache")
        self.offline = offline
        self._mirror = mirror or ""
        self._image_mirror = image_mirror or ""
        self._bundles = tuple(bundles)
        self._parallel = parallel
        self._retry = retry
        self._limits: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def offered(self) -> Lock:
        """All that bundles hold, imported ones and those given: what there is when there is no network."""
        lock = Lock(origin="the set of imported bundles")
        for record in imported(self.home):
            lock = lock.merged(record.lock)
        for path in self._bundles:
            with open_bundle(path) as bundle:
                lock = lock.merged(bundle.manifest.lock)
        return lock

    def path(self, entry: Entry) -> Path | None:
        """The file, if it is in the cache and whole; never touches the network."""
        return self.cache.get(entry.sha256, entry.size)

    async def ensure(self, entry: Entry, progress: ByteCounter | None = None) -> Path:
        """The verified file of an entry. `progress` gets bytes gained (negative when some had to be thrown away).

        Raises ChecksumMismatch when a source serves something else, ArtifactError when no source has it.
        """
        path = await asyncio.to_thread(self.path, entry)
        if path is None:
            path = await asyncio.to_thread(self._from_bundles, entry, progress)
        if path is not None:
            return path
        if self.offline:
            raise ArtifactError(
                f"{entry} is in neither the cache nor a bundle, and Raijin is offline",
                remedy="run `raijin bundle import FILE` with a bundle that holds it, or allow the network",
            )
        async with self._limit(), self.connect() as upstream:
            fetch = upstream.file(entry, progress) if isinstance(entry, LockEntry) else upstream.image(entry, progress)
            return await fetch

    async def ensure_all(self, entries: Iterable[Entry], progress: ByteCounter | None = None) -> list[Path]:
        """The files of all entries, in their order, fetched in parallel.

        Every entry is tried; a wrong checksum is raised before anything else, several failures as one error.
        """
        results = await asyncio.gather(*(self._tried(entry, progress) for entry in entries))
        failures = [result for result in results if isinstance(result, ArtifactError)]
        for failure in sorted(failures, key=lambda item: not isinstance(item, ChecksumMismatch)):
            if len(failures) == 1 or isinstance(failure, ChecksumMismatch):
                raise failure
            raise ArtifactError(
                f"{len(failures)} artifacts are missing; the first: {failure.message}",
                remedy=failure.remedy,
                detail="\n".join(item.message for item in failures),
            )
        return [result for result in results if isinstance(result, Path)]

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Upstream]:
        """A session with mirror and upstream, such as `lock_from_upstream` wants. Raises ArtifactError when offline."""
        if self.offline:
            raise ArtifactError("Raijin is offline", remedy="allow the network, or use a bundle")
        from raijin.artifacts.upstream import connect  # noqa: PLC0415 - httpx2 costs 110 ms, a plan never needs it

        async with connect(
            self.cache, mirror=self._mirror, image_mirror=self._image_mirror, retry=self._retry
        ) as upstream:
            yield upstream

    async def _tried(self, entry: Entry, progress: ByteCounter | None) -> Path | ArtifactError:
        try:
            return await self.ensure(entry, progress)
        except ArtifactError as error:
            return error

    def _from_bundles(self, entry: Entry, progress: ByteCounter | None) -> Path | None:
        for path in self._bundles:
            found = self._extract(path, entry, progress)
            if found:
                return found
        for record in imported(self.home):
            # The file it was imported from may be gone or be another one by now: then it is no source, not an error.
            if entry.sha256 in record.lock.sums() and record.origin.is_file():
                with suppress(ArtifactError):
                    return self._extract(record.origin, entry, progress)
        return None

    def _extract(self, path: Path, entry: Entry, progress: ByteCounter | None) -> Path | None:
        with open_bundle(path) as bundle:
            if entry.sha256 not in bundle.held():
                return None
            bundle.extract(entry.sha256, self.cache, progress)
            return self.cache.path(entry.sha256)

    def _limit(self) -> asyncio.Semaphore:
        """One limit per event loop: a semaphore belongs to the loop that first waits on it."""
        loop = asyncio.get_running_loop()
        return self._limits.setdefault(loop, asyncio.Semaphore(self._parallel))
