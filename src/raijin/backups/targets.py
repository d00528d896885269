"""Where backups are kept: a folder here, a folder of a host, a bucket. All can store, list, fetch and remove."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from raijin.errors import NotFound, OperationFailed, StateError
from raijin.transport.base import ByteCounter
from raijin.transport.delivery import sha256_of
from raijin.transport.objects import ObjectStore
from raijin.transport.pool import Pool
from raijin.transport.quoting import word


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup in a target. size in bytes."""

    name: str
    size: int
    target: str


class Target(Protocol):
    """A place for backups. Names are those of `naming`; what else lies there is left alone."""

    @property
    def name(self) -> str: ...

    async def put(self, path: Path, progress: ByteCounter | None = None) -> None:
        """Store a file under its own name, whole or not at all."""
        ...

    async def list(self, cluster: str) -> list[Stored]: ...

    async def get(self, name: str, path: Path, progress: ByteCounter | None = None) -> None:
        """Raises NotFound."""
        ...

    async def delete(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class FolderTarget:
    """A folder of this machine; a mounted share is one."""

    name: str
    folder: Path

    async def put(self, path: Path, progress: ByteCounter | None = None) -> None:
        def copy() -> None:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self.folder / f".{path.name}.part"
            try:
                shutil.copyfile(path, part)
                part.chmod(0o600)
                part.replace(self.folder / path.name)
            finally:
                part.unlink(missing_ok=True)

        try:
            await asyncio.to_thread(copy)
        except OSError as error:
            raise StateError(
                f"the backup cannot be kept in {self.folder}: {error.strerror}",
                remedy="look whether the folder is mounted and has room",
            ) from error
        if progress:
            progress(path.stat().st_size)

    async def list(self, cluster: str) -> list[Stored]:
        try:
            found = list(self.folder.iterdir())  # not glob, for which a folder that cannot be read is an empty one
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(
                f"{self.folder} cannot be read: {error.strerror}", remedy="look whether it is mounted, and whose it is"
            ) from error
        return [Stored(path.name, path.stat().st_size, self.name) for path in found if belongs(path.name, cluster)]

    async def get(self, name: str, path: Path, progress: ByteCounter | None = None) -> None:
        source = self.folder / name
        if not source.is_file():
            raise NotFound(f"there is no {name} in {self.folder}")
        await asyncio.to_thread(shutil.copyfile, source, path)
        if progress:
            progress(source.stat().st_size)

    async def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class HostTarget:
    """A folder of a host, over its connection."""

    name: str
    pool: Pool
    host: str
    folder: str

    async def put(self, path: Path, progress: ByteCounter | None = None) -> None:
        connection = await self.pool.get(self.host)
        digest = await asyncio.to_thread(sha256_of, path)
        await connection.push(path, f"{self.folder}/{path.name}", sha256=digest, mode=0o600, progress=progress)

    async def list(self, cluster: str) -> list[Stored]:
        there = f"[ -e {word(self.folder)} ] || exit 0\ncd {word(self.folder)} && ls >/dev/null || exit 1\n"
        script = there + 'for f in *; do [ ! -f "$f" ] || stat -c "%s %n" -- "$f"; done\n'
        connection = await self.pool.get(self.host)
        done = await connection.run(script, timeout=60)
        if done.status != 0:
            raise OperationFailed(
                f"{self.folder} cannot be read: {done.stderr.strip()}",
                host=self.host, remedy="look whether it is mounted, and whose it is",
            )  # fmt: skip
        pairs = (line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
        return [Stored(name, int(size), self.name) for size, name in pairs if belongs(name, cluster)]

    async def get(self, name: str, path: Path, progress: ByteCounter | None = None) -> None:
        connection = await self.pool.get(self.host)
        await connection.pull(f"{self.folder}/{name}", path, progress=progress)

    async def delete(self, name: str) -> None:
        connection = await self.pool.get(self.host)
        done = await connection.run(f"rm -f -- {word(f'{self.folder}/{name}')}\n", timeout=60)
        if done.status != 0:
            raise OperationFailed(f"{name} cannot be removed: {done.stderr.strip()}", host=self.host)


@dataclass(frozen=True, slots=True)
class BucketTarget:
    """Objects of a bucket."""

    name: str
    store: ObjectStore
    prefix: str = ""

    async def put(self, path: Path, progress: ByteCounter | None = None) -> None:
        await self.store.put(path, self.prefix + path.name, progress)

    async def list(self, cluster: str) -> list[Stored]:
        found = await self.store.list(f"{self.prefix}{cluster}-")
        names = ((item.key.removeprefix(self.prefix), item.size) for item in found)
        return [Stored(name, size, self.name) for name, size in names if belongs(name, cluster)]

    async def get(self, name: str, path: Path, progress: ByteCounter | None = None) -> None:
        await self.store.get(self.prefix + name, path, progress)

    async def delete(self, name: str) -> None:
        await self.store.delete(self.prefix + name)


def belongs(name: str, cluster: str) -> bool:
    """Whether a file is a backup of this very cluster (`prod`, and not `prod-2`)."""
    from raijin.backups.naming import parse_name  # noqa: PLC0415

    parsed = parse_name(name)
    return parsed is not None and parsed[0] == cluster


def surplus(stored: Iterable[Stored], keep: int) -> list[Stored]:
    """Those that are too many, the oldest; names sort by time."""
    return sorted(stored, key=lambda item: item.name, reverse=True)[keep:]
