"""Air-gap bundles: make one where there is internet (or a compiler), import it where there is none.

Two ways to make one. `create` takes a lock file and fetches what it lists. `create_from_directory` takes files that
somebody built, described by an artifacts.yaml beside them:

    artifacts:
    - {name: kubelet, version: v1.34.10, arch: amd64, kind: binary, file: amd64/kubelet}
    images:
    - {ref: registry.k8s.io/pause:3.10.1, arch: amd64, file: images/pause.tar}

There the builder vouches for the checksums: they are taken from the files themselves and marked `source: builder`.

An imported bundle leaves its files in the cache and a record in RAIJIN_HOME/bundles/<id>.json, which says what is
offered here and keeps those files from being pruned.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from raijin.artifacts.bundle_format import BLOBS, MANIFEST, BundleManifest, Finding, OpenBundle, open_bundle
from raijin.artifacts.cache import Cache, cannot_read, cannot_write, mismatch
from raijin.artifacts.inventory import read_inventory
from raijin.artifacts.lock import Entry, ImageEntry, Lock, LockEntry, parse_lock
from raijin.artifacts.tarball import add_bytes, add_file, tar_into
from raijin.errors import ArtifactError
from raijin.transport.base import ByteCounter
from raijin.transport.delivery import atomic_write, sha256_of

E = TypeVar("E", LockEntry, ImageEntry)


class Source(Protocol):
    """Whatever can produce the file of a lock entry; `store.Artifacts` can."""

    async def ensure(self, entry: Entry, progress: ByteCounter | None = None) -> Path: ...


@dataclass(frozen=True, slots=True)
class BundleReport:
    """The outcome of a full verification."""

    manifest: BundleManifest
    findings: tuple[Finding, ...]
    size: int

    @property
    def good(self) -> bool:
        return not self.findings


async def create(lock: Lock, source: Source, path: Path, progress: ByteCounter | None = None) -> BundleManifest:
    """Bundle everything that `lock` lists. Atomic: `path` is the whole bundle or what it was before.

    Raises what `source.ensure` raises, ChecksumMismatch for a file that changed under our hands, ArtifactError when the
    disk is full.
    """
    entries = lock.entries()
    files = {entry.sha256: await source.ensure(entry) for entry in entries}
    sized = Lock(
        tuple(replace(entry, size=files[entry.sha256].stat().st_size) for entry in lock.artifacts),
        tuple(replace(entry, size=files[entry.sha256].stat().st_size) for entry in lock.images),
        str(path),
    )
    manifest = BundleManifest(sized)
    await asyncio.to_thread(_write, manifest, files, path, progress)
    return manifest


def create_from_directory(folder: Path, path: Path, progress: ByteCounter | None = None) -> BundleManifest:
    """Bundle the files that `folder`/artifacts.yaml describes. Raises ArtifactError naming every fault of it."""
    described = read_inventory(folder)
    files: dict[str, Path] = {}

    def fill(entry: E, file: Path) -> E:
        try:
            filled = replace(entry, sha256=sha256_of(file), size=file.stat().st_size, source="builder")
        except OSError as error:
            raise cannot_read(file, error) from error
        files[filled.sha256] = file
        return filled

    lock = Lock(
        tuple(fill(entry, file) for entry, file in described.artifacts),
        tuple(fill(entry, file) for entry, file in described.images),
        str(path),
    )
    manifest = BundleManifest(lock)
    _write(manifest, files, path, progress)
    return manifest


def import_bundle(path: Path, home: Path, progress: ByteCounter | None = None) -> BundleManifest:
    """Bring a bundle's files into the cache under `home` (RAIJIN_HOME), and record it. Again is harmless and quick.

    Raises ArtifactError, with nothing imported, when the bundle is damaged in a way that its headers show or does not
    fit on the disk; ChecksumMismatch when a file is not what the manifest says (files before it stay in the cache,
    each of them verified; the bundle is not recorded).
    """
    cache = Cache(home / "cache")
    with open_bundle(path) as bundle:
        if bundle.findings:
            raise bundle.refusal()
        present = {sha256 for sha256 in bundle.held() if cache.get(sha256, bundle.size(sha256))}
        _need_room(home, sum(bundle.size(sha256) for sha256 in bundle.held() if sha256 not in present), path)
        for sha256 in bundle.held():
            if sha256 not in present:
                bundle.extract(sha256, cache, progress)
            elif progress:
                progress(bundle.size(sha256))
        _record(bundle.manifest, path, home)
        return bundle.manifest


def verify(path: Path, progress: ByteCounter | None = None) -> BundleReport:
    """Hash every byte of a bundle; the report lists every entry that is damaged, missing, extra or cut off.

    Raises ArtifactError only when the file is no bundle that this Raijin can read.
    """
    with open_bundle(path) as bundle:
        findings = list(bundle.findings)
        for sha256 in bundle.held():
            findings += _content_findings(bundle, sha256, progress)
        return BundleReport(bundle.manifest, tuple(findings), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class ImportedBundle:
    """A record: what an imported bundle offers, and the file that it was imported from (which may be gone)."""

    lock: Lock
    origin: Path


def imported(home: Path) -> list[ImportedBundle]:
    """The bundles imported into `home`, in a stable order. Raises ArtifactError when a record cannot be read."""
    found = []
    for record in sorted((home / "bundles").glob("*.json")):
        try:
            document = json.loads(record.read_text(encoding="utf-8"))
            origin = Path(str(document["origin"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(
                f"the record {record} cannot be read", remedy="remove it and import the bundle again", detail=str(error)
            ) from error
        found.append(ImportedBundle(replace(parse_lock(document, str(origin)), origin=f"bundle {origin.name}"), origin))
    return found


def _content_findings(bundle: OpenBundle, sha256: str, progress: ByteCounter | None) -> Iterator[Finding]:
    digest = hashlib.sha256()
    name = bundle.manifest.names()[sha256]
    try:
        for chunk in bundle.chunks(sha256):
            digest.update(chunk)
            if progress:
                progress(len(chunk))
    except ArtifactError as error:
        yield Finding(name, error.message)
        return
    if digest.hexdigest() != sha256:
        yield Finding(name, f"damaged: its sha256 is {digest.hexdigest()}, the manifest says {sha256}")


def _write(manifest: BundleManifest, files: dict[str, Path], path: Path, progress: ByteCounter | None) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as sink:
            with tar_into(sink) as tar:
                add_bytes(tar, MANIFEST, manifest.to_json())
                for sha256, file in sorted(files.items()):
                    _add_verified(tar, sha256, file, progress)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _add_verified(tar: tarfile.TarFile, sha256: str, file: Path, progress: ByteCounter | None) -> None:
    digest = hashlib.sha256()

    def seen(data: bytes) -> None:
        digest.update(data)
        if progress:
            progress(len(data))

    add_file(tar, f"{BLOBS}{sha256}", file, seen)
    if digest.hexdigest() != sha256:
        raise mismatch(file.name, str(file), sha256, digest.hexdigest())


def _need_room(home: Path, size: int, bundle: Path) -> None:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if size > free:
        raise ArtifactError(
            f"importing {bundle} needs {size // 2**20 + 1} MiB under {home}, {free // 2**20} MiB are free",
            remedy="free space there, or set RAIJIN_HOME to a disk with room",
        )


def _record(manifest: BundleManifest, path: Path, home: Path) -> None:
    text = manifest.to_json()
    name = hashlib.sha256(text).hexdigest()[:16]
    document = json.loads(text) | {"origin": str(path.resolve())}
    atomic_write(home / "bundles" / f"{name}.json", json.dumps(document, indent=1).encode() + b"\n")
