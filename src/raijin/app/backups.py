"""Backups of the session's cluster: where they are, listed, fetched, tried, deleted."""

from __future__ import annotations

import asyncio
import platform as machine
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from raijin.app.reaching import open_pool
from raijin.app.session import Session
from raijin.artifacts.catalogue import normal_arch
from raijin.backups.naming import new_id, parse_name
from raijin.backups.targets import BucketTarget, FolderTarget, HostTarget, Stored, Target
from raijin.backups.verifying import Contents, verify
from raijin.errors import ArtifactError, NotFound, RaijinError
from raijin.model.backup import BackupTarget
from raijin.model.node_group import NodeRole
from raijin.observe.revealing import revealed
from raijin.state.backups import BackupRecord, Backups
from raijin.state.secrets import SecretStore
from raijin.transport.delivery import sha256_of
from raijin.transport.pool import Pool

T = TypeVar("T")
OWN = "local"
"""The target that there is when the definition names none."""


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A backup as people see it. created and verified: seconds since the epoch.

    verified is None when nobody has restored it to try it.
    """

    id: str
    created: float
    copies: tuple[Stored, ...]
    version: str = ""
    verified: float | None = None
    keys: int | None = None
    fault: str | None = None

    @property
    def size(self) -> int:
        """In bytes."""
        return self.copies[0].size

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(copy.target for copy in self.copies)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"copies": [asdict(copy) for copy in self.copies]}


@dataclass(frozen=True, slots=True)
class Listing:
    """rows: the newest first. faults: targets that could not be asked, and why. errors: what they raised."""

    rows: tuple[BackupRow, ...]
    faults: tuple[str, ...]
    errors: tuple[RaijinError, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"backups": [row.to_json() for row in self.rows], "faults": list(self.faults)}


def targets_of(session: Session, pool: Pool) -> list[Target]:
    """The places that the definition names, or the folder `backups` of RAIJIN_HOME."""
    named = session.cluster.backup.targets
    if not named or session.twin is not None:  # a rehearsal writes nowhere but into its own home
        return [FolderTarget(OWN, session.home / "backups")]
    return [_target(target, pool) for target in named]


def places_of(session: Session, pool: Pool) -> list[Target]:
    """Every place that backups may be found: the targets, and hosts that make some by themselves."""
    found, backup = targets_of(session, pool), session.cluster.backup
    if backup.schedule is not None:
        hosts = [p.name for p in session.definition.hosts_of(session.cluster) if p.role is NodeRole.CONTROL_PLANE]
        found += [HostTarget(host, pool, host, str(backup.local_folder)) for host in hosts]
    return found


def _target(target: BackupTarget, pool: Pool) -> Target:
    if target.s3 is not None:
        from raijin.transport.objects import Bucket, ObjectStore  # noqa: PLC0415  (obstore: only where there is one)

        s3 = target.s3
        keys = [revealed(key) or "" for key in (s3.access_key, s3.secret_key)]
        bucket = Bucket(s3.bucket, str(s3.endpoint or ""), s3.region, *keys)
        return BucketTarget(target.name, ObjectStore(bucket), target.prefix)
    if target.folder is None:
        raise AssertionError(f"unvalidated target {target.name}")
    if target.host is not None:
        return HostTarget(target.name, pool, target.host, str(target.folder))
    return FolderTarget(target.name, target.folder.expanduser())


async def listing(session: Session) -> Listing:
    """All backups of the cluster, wherever they are kept."""
    async with open_pool(session) as pool:
        return await list_targets(session, places_of(session, pool))


async def list_targets(session: Session, targets: Iterable[Target]) -> Listing:
    """The same, over connections that are open."""
    cluster = session.cluster.name
    asked = list(targets)
    answers = await asyncio.gather(*(_tried(target.list(cluster)) for target in asked))
    failed = [(t, answer) for t, answer in zip(asked, answers, strict=True) if isinstance(answer, RaijinError)]
    found: dict[str, list[Stored]] = {}
    for answer in answers:
        for stored in answer if isinstance(answer, list) else ():
            found.setdefault(stored.name, []).append(stored)
    known = Backups(session.database).of(cluster) if session.has_state else {}
    rows = [_row(name, copies, known) for name, copies in found.items()]
    newest = sorted(rows, key=lambda row: row.created, reverse=True)
    return Listing(tuple(newest), tuple(f"{t.name}: {e}" for t, e in failed), tuple(e for _, e in failed))


async def _tried(work: Awaitable[T]) -> T | RaijinError:
    try:
        return await work
    except RaijinError as error:
        return error


def _row(name: str, copies: Sequence[Stored], known: dict[str, BackupRecord]) -> BackupRow:
    parsed = parse_name(name)
    if parsed is None:
        raise AssertionError(f"{name} is no backup's name")
    backup = new_id(*parsed)
    record = known.get(backup)
    more = (record.version, record.verified, record.keys, record.fault) if record else ("", None, None, None)
    return BackupRow(backup, parsed[1], tuple(copies), *more)


@asynccontextmanager
async def fetched(session: Session, wanted: str, at: float | None = None) -> AsyncIterator[Path]:
    """A backup as a file here, for as long as the context lasts.

    wanted: an id, a file, or `latest`. at: the newest that is not younger than this (seconds since the epoch).
    Raises NotFound when there is none, and what a target raised when it is none that could be asked.
    """
    path = Path(wanted)
    if at is None and path.is_file():
        yield path
        return
    async with open_pool(session) as pool:
        targets = places_of(session, pool)
        listed = await list_targets(session, targets)
        row = _chosen(session, listed, wanted, at)
        with workshop(session) as folder:
            copy = row.copies[0]
            sealed = folder / copy.name
            (target,) = (target for target in targets if target.name == copy.target)
            await target.get(copy.name, sealed)
            yield sealed


def _chosen(session: Session, listed: Listing, wanted: str, at: float | None) -> BackupRow:
    rows = [row for row in listed.rows if at is None or row.created <= at]
    if wanted != "latest":
        rows = [row for row in rows if wanted in {row.id, *(copy.name for copy in row.copies)}]
    if rows:
        return rows[0]
    what = "backup that old" if at is not None else "backup" if wanted == "latest" else f"backup {wanted}"
    name = session.cluster.name
    if listed.errors:  # it may be where nobody could look: that is no answer, and the same question may have one later
        first, faults = listed.errors[0], "; ".join(listed.faults)
        raise type(first)(
            f"whether {name} has a {what} cannot be said, as not every target could be asked: {faults}",
            host=first.host, remedy=first.remedy or "mend the target, and repeat", detail=first.detail,
        ) from first  # fmt: skip
    none = not listed.rows
    make = "make one with `raijin cluster backup`, or name the file of one"
    raise NotFound(f"{name} has no {what}", remedy=make if none else "see `raijin backup list`")


async def known(session: Session, wanted: str, at: float | None = None) -> str:
    """The id of a backup that the cluster has, in the words of `fetched`; nothing is fetched. Raises as it does."""
    return _chosen(session, await listing(session), wanted, at).id


@dataclass(frozen=True, slots=True)
class Tried:
    """A backup that can be restored, and what is in it."""

    backup: str
    contents: Contents

    def to_json(self) -> dict[str, Any]:
        """keys: how many its data holds; objects: how many of each kind, the most first."""
        about, contents = self.contents.manifest, self.contents
        return {
            "backup": self.backup, "cluster": about.cluster, "version": about.version, "created": about.created,
            "keys": contents.keys, "objects": contents.kinds,
        }  # fmt: skip


async def try_out(session: Session, wanted: str, identities: Sequence[str] = ()) -> Tried:
    """Restore a backup into a scratch etcd and count what is in it."""
    keys = [*identities, *SecretStore(session.home).identities()]
    async with fetched(session, wanted) as sealed:
        parsed = parse_name(sealed.name)
        backup = new_id(*parsed) if parsed else sealed.name
        index = Backups(session.database)
        tools = await _etcd(session)
        try:
            contents = await verify(sealed, keys, tools, session.home / "work")
        except RaijinError as error:
            index.tried(backup, keys=None, fault=str(error))
            raise
        digest = await asyncio.to_thread(sha256_of, sealed)
        about = contents.manifest
        index.record(BackupRecord(backup, about.cluster, about.version, about.node, about.created, digest))
        index.tried(backup, keys=contents.keys)
        return Tried(backup, contents)


async def _etcd(session: Session) -> Path:
    """The archive of etcd for this machine."""
    arch = normal_arch(machine.machine())
    for entry in session.lock.artifacts:
        if entry.name == "etcd" and entry.arch == arch:
            return await session.artifacts.ensure(entry)
    raise ArtifactError(
        f"no etcd for {arch} is locked, by which backups are tried on this machine",
        remedy=f"run `raijin artifacts lock --arch {arch}`, or import a bundle that has it",
    )


async def delete(session: Session, backup: str) -> list[str]:
    """Delete a backup from every target that has it. Returns their names."""
    async with open_pool(session) as pool:
        targets = places_of(session, pool)
        row = _chosen(session, await list_targets(session, targets), backup, None)
        names = {target.name: target for target in targets}
        for copy in row.copies:
            await names[copy.target].delete(copy.name)
    if session.has_state:
        Backups(session.database).forget(row.id)
    return list(row.targets)


@contextmanager
def workshop(session: Session) -> Iterator[Path]:
    """A private folder for what must not lie about, as a snapshot that is not encrypted. It goes with the context."""
    folder = session.home / "work"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=folder) as name:
        yield Path(name)
