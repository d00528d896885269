"""One file over HTTP into the cache: resumed where it was cut off, tried again only when that can help, verified.

A cut transfer goes on with a Range request, in this process or in the next one. Attempts count only while nothing
arrives, so that a slow link finishes a large file at its own pace. A wrong checksum is final, with one exception: if
a part of the file came from an earlier attempt, that part may be at fault, and the file is fetched once from its start.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from raijin.artifacts.cache import Cache, cannot_write, mismatch
from raijin.errors import ChecksumMismatch
from raijin.transport.base import ByteCounter
from raijin.transport.delivery import CHUNK
from raijin.transport.http import Body, Http, HttpFailure, shown

Headers = Callable[[], Mapping[str, str]]
"""Asked anew for each attempt, because a registry's token runs out."""

_HELD = 0.1
"""Seconds between two looks at a download that another process has in hand."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d*/(?:\d+|\*)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must arrive. size: bytes, 0 when unknown; what: its name in messages."""

    sha256: str
    size: int
    what: str


async def download(
    http: Http,
    url: str,
    wanted: Wanted,
    cache: Cache,
    *,
    headers: Headers = dict,
    progress: ByteCounter | None = None,
) -> Path:
    """The file's path in the cache. `progress` gets bytes gained (negative when a part had to be thrown away).

    Raises HttpFailure when the source fails, ChecksumMismatch when it serves something else, ArtifactError when the
    disk is full.
    """
    while True:
        present = await asyncio.to_thread(cache.get, wanted.sha256, wanted.size)
        if present:
            return present
        with cache.partial(wanted.sha256) as stream:
            if stream is not None:
                transfer = _Transfer(http, url, wanted, stream, headers=headers, progress=progress or (lambda _: None))
                try:
                    await transfer.run()
                except ChecksumMismatch:
                    cache.partial_path(wanted.sha256).unlink(missing_ok=True)
                    raise
                except OSError as error:
                    raise cannot_write(cache.root, error) from error
                return await asyncio.to_thread(cache.adopt, cache.partial_path(wanted.sha256), wanted.sha256)
        await asyncio.sleep(_HELD)


class _Transfer:
    """The state of one file on its way: what is on disk, and its hash so far."""

    def __init__(
        self, http: Http, url: str, wanted: Wanted, stream: BinaryIO, *, headers: Headers, progress: ByteCounter
    ) -> None:
        self._http, self._url, self._wanted = http, url, wanted
        self._stream, self._headers, self._progress = stream, headers, progress
        self._digest = hashlib.sha256()
        self._have = 0
        self._resumed = False
        self._doubted = False

    async def run(self) -> None:
        await asyncio.to_thread(self._take_up)
        self._progress(self._have)
        turn = 1
        while not self._complete():
            before = self._have
            try:
                await self._attempt()
            except HttpFailure as failure:
                turn = 1 if self._have > before else turn
                if not failure.transient or turn >= self._http.retry.attempts:
                    raise
                await asyncio.sleep(self._http.retry.pause(turn, failure))
                turn += 1
                continue
            if not self._complete():
                self._judge()
        await asyncio.to_thread(os.fsync, self._stream.fileno())

    def _complete(self) -> bool:
        return self._digest.hexdigest() == self._wanted.sha256

    def _take_up(self) -> None:
        """Hash what an earlier process left."""
        while chunk := self._stream.read(CHUNK):
            self._digest.update(chunk)
            self._have += len(chunk)
        self._resumed = self._have > 0

    def _start_over(self) -> None:
        self._stream.seek(0)
        self._stream.truncate()
        self._progress(-self._have)
        self._digest, self._have, self._resumed = hashlib.sha256(), 0, False

    def _judge(self) -> None:
        """The source said that this is all, and it is not what was wanted."""
        if not self._resumed or self._doubted:
            raise mismatch(self._wanted.what, shown(self._url), self._wanted.sha256, self._digest.hexdigest())
        self._doubted = True
        self._start_over()

    async def _attempt(self) -> None:
        headers = dict(self._headers())
        if self._have:
            headers["Range"] = f"bytes={self._have}-"
            self._resumed = True
        async with self._http.stream(self._url, headers) as body:
            if body.status == 416:  # nothing behind what we have; `_judge` decides what that is worth
                return
            body.expect()
            self._place(body)
            async for chunk in body.chunks():
                self._take(chunk)

    def _place(self, body: Body) -> None:
        """Whether the answer goes on where we are, or begins at the beginning."""
        if body.status != 206:
            if self._have:
                self._start_over()
            return
        found = _CONTENT_RANGE.match(body.headers.get("content-range", ""))
        if not found or int(found[1]) != self._have:
            self._start_over()
            raise HttpFailure(self._url, "answered another range than asked", status=body.status, transient=True)

    def _take(self, chunk: bytes) -> None:
        self._stream.write(chunk)
        self._digest.update(chunk)
        self._have += len(chunk)
        self._progress(len(chunk))
        if self._wanted.size and self._have > self._wanted.size:
            raise ChecksumMismatch(
                f"{self._wanted.what} from {shown(self._url)} is longer than the {self._wanted.size} bytes expected "
                f"(sha256 {self._wanted.sha256})",
                remedy="find out what the source serves there; nothing of it was kept",
            )
