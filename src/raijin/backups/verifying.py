"""Trying a backup: restored into an etcd of its own on this machine's loopback, and its keys counted.

A backup that was never tried is a hope. This one reads every byte of the snapshot (etcdutl compares its hash), starts a
server with it, and lists what it holds.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import tarfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from raijin.backups.archive import Manifest, extract_snapshot, opened
from raijin.errors import OperationFailed, RaijinError
from raijin.observe.waiting import until
from raijin.transport import local

PROGRAMS = ("etcd", "etcdctl", "etcdutl")
SQLITE = "sqlite"
"""The kind of a backup of a K3s server that keeps its data in SQLite."""
START_SECONDS = 120.0
RESTORE_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup was found to hold. kinds: how many objects of each resource (`pods`, `secrets`, ...)."""

    manifest: Manifest
    keys: int
    kinds: dict[str, int]


async def verify(sealed: Path, identities: Sequence[str], tools: Path, folder: Path) -> Contents:
    """Restore a backup into a scratch etcd and count. tools: an archive of etcd. folder: private; left as it was.

    Raises what `archive.opened` raises, and OperationFailed when etcd cannot live with the snapshot.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=folder, prefix=".verify-") as name, opened(sealed, identities, folder) as (about, tar):
        scratch = Path(name)
        await asyncio.to_thread(_unpack, tools, scratch)
        await asyncio.to_thread(extract_snapshot, tar, scratch / "etcd.db")
        if about.kind == SQLITE:
            keys = await asyncio.to_thread(_read_sqlite, scratch / "etcd.db", sealed.name)
            return Contents(about, len(keys), kinds_of(keys))
        restore = [scratch / "etcdutl", "snapshot", "restore", scratch / "etcd.db", "--data-dir", scratch / "data"]
        await _run(sealed.name, [str(word) for word in restore], RESTORE_SECONDS)
        async with _serving(scratch) as endpoint:
            listing = ["get", "/", "--prefix", "--keys-only", f"--endpoints={endpoint}", "--command-timeout=300s"]
            done = await _run(sealed.name, [str(scratch / "etcdctl"), *listing], RESTORE_SECONDS)
    keys = [line for line in done.splitlines() if line]
    return Contents(about, len(keys), kinds_of(keys))


def _read_sqlite(database: Path, name: str) -> list[str]:
    """The keys of kine's table that are not deleted. Raises OperationFailed when the database is damaged."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            (state,) = connection.execute("PRAGMA integrity_check").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(state)
            newest = "SELECT name, deleted, max(id) FROM kine GROUP BY name"
            rows = connection.execute(f"SELECT name FROM ({newest}) WHERE deleted = 0")  # noqa: S608
            return [str(row[0]) for row in rows if str(row[0]).startswith("/")]
    except sqlite3.Error as error:
        raise OperationFailed(
            f"{name} cannot be restored: {error}", remedy="use another backup; this one is of no use"
        ) from error


def kinds_of(keys: Sequence[str]) -> dict[str, int]:
    """How many objects of each resource, by the paths of the API server: /registry/pods/NAMESPACE/NAME and so on.

    Resources of a group lie below the group's name (/registry/apps.example.org/things/...); the most numerous first.
    """
    found: Counter[str] = Counter()
    for key in keys:
        parts = key.split("/")
        if len(parts) > 3 and parts[1] == "registry":
            found[f"{parts[3]}.{parts[2]}" if "." in parts[2] and len(parts) > 4 else parts[2]] += 1
    return dict(found.most_common())


def _unpack(tools: Path, scratch: Path) -> None:
    try:
        with tarfile.open(tools) as tar:
            for member in tar:
                name = Path(member.name).name
                stream = tar.extractfile(member) if name in PROGRAMS and member.isfile() else None
                if stream is not None:
                    target = scratch / name
                    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o700), "wb") as sink:
                        while chunk := stream.read(1024 * 1024):
                            sink.write(chunk)
    except tarfile.TarError as error:
        raise OperationFailed(f"{tools.name} is not an archive of etcd: {error}") from error
    missing = [name for name in PROGRAMS if not (scratch / name).is_file()]
    if missing:
        raise OperationFailed(f"{tools.name} has no {', '.join(missing)}", remedy="lock a whole archive of etcd")


@asynccontextmanager
async def _serving(scratch: Path) -> AsyncIterator[str]:
    """etcd with the restored data, on two ports of the loopback; ended with the context."""
    client, peer = (f"http://127.0.0.1:{port}" for port in _free_ports())
    arguments = (
        f"--data-dir={scratch / 'data'}", f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", "--log-level=error",
    )  # fmt: skip
    server = asyncio.create_task(local.run([str(scratch / "etcd"), *arguments], cwd=scratch))

    async def probe() -> str:
        if server.done():
            raise OperationFailed("etcd ended with the restored data", detail=str(server.exception() or ""))
        asked = await local.run(
            [str(scratch / "etcdctl"), "endpoint", "health", f"--endpoints={client}", "--command-timeout=5s"],
            check=False,
        )
        return "" if asked.status == 0 else (asked.stderr.strip() or "no answer")

    try:
        await until("the scratch etcd", probe, timeout=START_SECONDS, interval=0.2)
        yield client
    finally:
        server.cancel()
        with suppress(asyncio.CancelledError, RaijinError):
            await server


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


async def _run(name: str, argv: Sequence[str], timeout: float) -> str:
    done = await local.run(argv, check=False, timeout=timeout)
    if done.status != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise OperationFailed(
            f"{name} cannot be restored: {lines[-1]}",
            remedy="use another backup; this one is of no use",
            detail=done.stderr,
        )
    return done.stdout
