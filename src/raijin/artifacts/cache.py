"""The local store of files by their sha256, under RAIJIN_HOME/cache; several processes may use it at once.

    sha256/aa/<sha256>         a complete file, mode 0444, only ever put in place by a rename after its hash matched
    sha256/aa/<sha256>.stamp   what the file looked like when it was hashed: size, mtime (ns), inode
    partial/<sha256>           a download that is under way or was cut off; its holder has it locked (flock)
    tmp/                       files on their way in

Hashing 2 GB at each run would cost more than the run. So `get` trusts a file that still looks as stamped (nobody who
writes to it by accident keeps size, mtime and inode), hashes it when it does not, and `verify` always hashes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from raijin.errors import ArtifactError, ChecksumMismatch
from raijin.transport.delivery import CHUNK, atomic_write, sha256_of

ABANDONED = 7 * 24 * 3600.0
"""Seconds after which an unfinished file that nobody holds is litter."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Writer:
    """A file on its way into the cache: write, then `commit`."""

    def __init__(self, cache: Cache, stream: BinaryIO, path: Path) -> None:
        self._cache = cache
        self._stream = stream
        self._path = path
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Raises ArtifactError when the disk is full."""
        self._digest.update(data)
        self.size += len(data)
        try:
            return self._stream.write(data)
        except OSError as error:
            raise cannot_write(self._path.parent, error) from error

    def tell(self) -> int:
        return self.size

    def commit(self, expected: str | None = None, *, what: str = "the file", source: str = "") -> str:
        """Put the file in place and return its sha256.

        Raises ChecksumMismatch when it is not `expected`; `what` and `source` name it in the message.
        """
        got = self._digest.hexdigest()
        if expected is not None and got != expected:
            raise mismatch(what, source, expected, got)
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._cache.adopt(self._path, got)
        except OSError as error:
            raise cannot_write(self._path.parent, error) from error
        return got


class Cache:
    """`root` is RAIJIN_HOME/cache; nothing is made on disk before the first file comes in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where the file with this hash is or would be."""
        if not _SHA256.fullmatch(sha256):
            raise ArtifactError(f"{sha256!r} is not a sha256", remedy="run `raijin artifacts lock` again")
        return self.root / "sha256" / sha256[:2] / sha256

    def get(self, sha256: str, size: int = 0) -> Path | None:
        """The file, if it is here and whole. Cheap while it looks as it did when it was hashed.

        size: bytes expected, 0 when unknown. A file that turned out damaged is removed, so that it is fetched again.
        """
        path = self.path(sha256)
        try:
            looks = _looks(path)
        except FileNotFoundError:
            return None
        if looks == self._stamp(path) and size in {0, looks["size"]}:
            return path
        return path if self.verify(sha256) else None

    def verify(self, sha256: str) -> bool:
        """Hash the whole file; False when it is absent, or was damaged and has been removed."""
        path = self.path(sha256)
        try:
            before = _looks(path)
            good = sha256_of(path) == sha256
        except FileNotFoundError:
            return False
        except OSError as error:
            raise cannot_read(path, error) from error
        if not good:
            self.remove(sha256)
            return False
        self._write_stamp(path, before)
        return True

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """A new file; without a `commit` nothing remains of it. Raises ArtifactError when it cannot be made."""
        folder = self.root / "tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder)
        except OSError as error:
            raise cannot_write(folder, error) from error
        # Unbuffered: what is written comes in large pieces, and a close that flushes could fail past all handling.
        with os.fdopen(handle, "wb", buffering=0) as stream:
            try:
                yield Writer(self, cast("BinaryIO", stream), Path(name))
            finally:
                Path(name).unlink(missing_ok=True)

    def put_file(self, source: Path, sha256: str) -> Path:
        """Copy a file in. Raises ChecksumMismatch when it is not what `sha256` says."""
        present = self.get(sha256)
        if present:
            return present
        with self.writer() as sink:
            try:
                stream = source.open("rb")
            except OSError as error:
                raise cannot_read(source, error) from error
            with stream:
                while chunk := stream.read(CHUNK):
                    sink.write(chunk)
            sink.commit(sha256, what=source.name, source=str(source))
        return self.path(sha256)

    def adopt(self, path: Path, sha256: str) -> Path:
        """Rename a complete file, whose hash the caller has just computed, into its place."""
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(0o444)
        path.replace(target)
        self._write_stamp(target, _looks(target))
        return target

    def partial_path(self, sha256: str) -> Path:
        return self.root / "partial" / self.path(sha256).name

    @contextmanager
    def partial(self, sha256: str) -> Iterator[BinaryIO | None]:
        """The unfinished download of a file, opened for reading and writing at its start, locked for this holder.

        None when another process (or task) holds it. The file stays when the holder leaves, for the next one to
        resume; `adopt` takes it away.
        """
        path = self.partial_path(sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise cannot_write(path.parent, error) from error
        with os.fdopen(handle, "r+b", buffering=0) as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Between open and lock the former holder may have finished and renamed the file: then it is not ours.
                ours = path.exists() and path.stat().st_ino == os.fstat(stream.fileno()).st_ino
            except BlockingIOError:
                ours = False
            yield cast("BinaryIO", stream) if ours else None

    def remove(self, sha256: str) -> None:
        path = self.path(sha256)
        path.unlink(missing_ok=True)
        _stamp_path(path).unlink(missing_ok=True)

    def blobs(self) -> Iterator[tuple[str, int]]:
        """(sha256, bytes) of every complete file."""
        for path in sorted((self.root / "sha256").glob("??/*")):
            if _SHA256.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    yield path.name, path.stat().st_size

    def prune(self, keep: Collection[str], *, now: float | None = None) -> int:
        """Remove every file whose sha256 is not in `keep`, and abandoned unfinished ones; the bytes freed."""
        freed = 0
        for sha256, size in list(self.blobs()):
            if sha256 not in keep:
                self.remove(sha256)
                freed += size
        moment = time.time() if now is None else now
        for path in [*(self.root / "tmp").glob("*"), *(self.root / "partial").glob("*")]:
            with suppress(FileNotFoundError):
                looks = path.stat()
                if moment - looks.st_mtime > ABANDONED:
                    path.unlink()
                    freed += looks.st_size
        return freed

    def _stamp(self, path: Path) -> object:
        try:
            return json.loads(_stamp_path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _write_stamp(self, path: Path, looks: dict[str, int]) -> None:
        # A cache that is shared read-only can still be verified; it is only never cheap.
        with suppress(PermissionError):
            atomic_write(_stamp_path(path), json.dumps(looks).encode())


def _stamp_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.stamp")


def _looks(path: Path) -> dict[str, int]:
    looks = path.stat()
    return {"size": looks.st_size, "mtime": looks.st_mtime_ns, "inode": looks.st_ino}


def mismatch(what: str, source: str, expected: str, got: str) -> ChecksumMismatch:
    """The one wording of a wrong checksum."""
    came = f" from {source}" if source else ""
    return ChecksumMismatch(
        f"{what}{came} has sha256 {got}, expected {expected}",
        remedy="do not install it: find out whether the source was changed or the lock file is wrong; "
        "nothing of it was kept",
    )


def cannot_read(path: Path, error: OSError) -> ArtifactError:
    return ArtifactError(f"cannot read {path}: {error.strerror}", remedy="look at the file and its permissions")


def cannot_write(folder: Path, error: OSError) -> ArtifactError:
    return ArtifactError(
        f"cannot write under {folder}: {error.strerror}",
        remedy="free space there, or set RAIJIN_HOME to a disk with room",
    )
