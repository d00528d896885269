"""Putting a file in its place so that a crash leaves either the old file or the new one, never half of it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from raijin.errors import ChecksumMismatch, HostUnreachable, OperationFailed
from raijin.transport.base import ByteCounter, Completed

CHUNK = 1024 * 1024
SUM_LINE = 65
"""A sha256 in hexadecimal and a line end."""

_RECEIVE = r"""
new="$1.$$.part"
trap 'rm -f "$new"' EXIT
umask 077
mkdir -p "${1%/*}" || exit 66
cat >"$new" || exit 66
sum=$(sha256sum <"$new") || exit 66
[ "${sum%% *}" = "$2" ] || { echo "${sum%% *}"; exit 65; }
[ ! -d "$1" ] || { echo "$1 is a directory" >&2; exit 66; }
chmod "$3" "$new" && mv -f "$new" "$1" || exit 66
"""


def receive(destination: str, sha256: str, mode: int) -> list[str]:
    """The command that takes a file from its standard input: beside the destination, verified, renamed over it."""
    return ["sh", "-c", _RECEIVE, "sh", destination, sha256, f"{mode:o}"]


def check_received(done: Completed, destination: str, host: str) -> None:
    """Turn the status of `receive` into the error that it stands for."""
    if done.status == 0:
        return
    if done.status == 65:
        raise ChecksumMismatch(
            f"{destination} arrived with sha256 {done.stdout.strip()}", host=host, remedy="run the command again"
        )
    if done.status < 0:
        raise HostUnreachable(f"the connection was lost while {destination} was sent", host=host)
    reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"status {done.status}"
    remedy = "free space on the host" if "No space left" in reason else "look at the path and the disk on the host"
    raise OperationFailed(f"cannot write {destination}: {reason}", host=host, remedy=remedy, detail=done.stderr)


def send(source: str) -> list[str]:
    """The command that gives a file to its standard output, its sha256 (64 digits and a line end) first."""
    return ["sh", "-c", 'sum=$(sha256sum <"$1") && printf "%s\\n" "${sum%% *}" && cat <"$1"', "sh", source]


class Received:
    """What `send` gives, written to a file of mode 0600 as it comes."""

    def __init__(self, destination: Path, progress: ByteCounter | None) -> None:
        self._destination, self._progress = destination, progress
        self._wanted, self._digest = b"", hashlib.sha256()
        self._part = destination.with_name(f".{destination.name}.part")
        destination.parent.mkdir(parents=True, exist_ok=True)
        self._sink = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def take(self, chunk: bytes) -> None:
        if len(self._wanted) < SUM_LINE:
            missing = SUM_LINE - len(self._wanted)
            self._wanted, chunk = self._wanted + chunk[:missing], chunk[missing:]
        self._digest.update(chunk)
        self._sink.write(chunk)
        if self._progress and chunk:
            self._progress(len(chunk))

    def end(self, done: Completed, source: str, host: str) -> None:
        """Put the file in its place, or raise what went wrong."""
        self._sink.close()
        try:
            if done.status != 0:
                reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"status {done.status}"
                raise OperationFailed(f"cannot read {source}: {reason}", host=host, detail=done.stderr)
            if self._digest.hexdigest().encode() + b"\n" != self._wanted:
                raise ChecksumMismatch(f"{source} arrived damaged", host=host, remedy="run the command again")
            self._part.replace(self._destination)
        finally:
            self._part.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def atomic_write(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write beside `path`, flush to disk, rename over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def atomic_copy(source: Path, destination: Path, sha256: str, mode: int, host: str | None = None) -> None:
    """Copy a file beside `destination`, compare its sha256, rename it into place.

    Raises ChecksumMismatch when the bytes differ from `sha256`, OperationFailed when they cannot be written.
    """
    digest = hashlib.sha256()
    temporary: Path | None = None
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", dir=destination.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as sink, source.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                sink.write(chunk)
            sink.flush()
            os.fsync(sink.fileno())
        if digest.hexdigest() != sha256:
            raise ChecksumMismatch(
                f"{source.name} has sha256 {digest.hexdigest()}, expected {sha256}",
                host=host,
                remedy="remove the file from the cache and fetch it again",
            )
        temporary.chmod(mode)
        temporary.replace(destination)
    except OSError as error:
        raise OperationFailed(
            f"cannot write {destination}: {error.strerror}", host=host, remedy="free space or choose another path"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
