"""Writing tars that are the same bytes for the same content: no times, no owners, one order, one mode."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

from raijin.transport.delivery import CHUNK


class Sink(Protocol):
    """Where a tar goes: an open file, or a cache's writer. Nothing is ever sought in it."""

    def write(self, data: bytes, /) -> int: ...
    def tell(self) -> int: ...


@contextmanager
def tar_into(sink: Sink) -> Iterator[tarfile.TarFile]:
    """A tar that is streamed into `sink`, which stays open."""
    # PAX adds a header only to what the plain format cannot hold (a file beyond 8 GiB), so that small tars stay plain.
    stream = cast("IO[bytes]", sink)
    with tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, copybufsize=CHUNK) as tar:
        yield tar


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_member(name, len(content)), io.BytesIO(content))


def add_file(tar: tarfile.TarFile, name: str, path: Path, seen: Callable[[bytes], None] | None = None) -> None:
    """`seen` is shown the content as it passes."""
    with path.open("rb") as stream:
        reader = stream if seen is None else _Watched(stream, seen)
        tar.addfile(_member(name, path.stat().st_size), cast("IO[bytes]", reader))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


class _Watched:
    def __init__(self, stream: IO[bytes], seen: Callable[[bytes], None]) -> None:
        self._stream, self._seen = stream, seen

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._seen(data)
        return data
