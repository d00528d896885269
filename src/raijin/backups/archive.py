"""One backup as a file: a tar with a manifest, encrypted with age for its readers.

raijin.json         what it is: cluster, version, time, and the sha256 of every other entry
etcd.db             the snapshot
etc/kubernetes/...  what a control plane needs beside it, by its path on the host
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile

import pyrage

from raijin.errors import ChecksumMismatch, StateError, UsageError

FORMAT = 1
MANIFEST = "raijin.json"
SNAPSHOT = "etcd.db"
ENDING = ".tar.age"
PLAIN = ".tar"
"""Of those that control plane hosts make by themselves, which never leave them unencrypted."""
_AGE = b"age-encryption.org/"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a backup. created: seconds since the epoch. platform: the cluster type. entries: sha256 by name.

    kind: `etcd` or `sqlite`, what `etcd.db` is. definition: the documents that the cluster was made from.
    """

    cluster: str
    platform: str
    version: str
    node: str
    created: float
    kind: str = "etcd"
    definition: str = ""
    entries: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def files(self) -> dict[str, str]:
        """Entry name by path on the host."""
        return {f"/{name}": name for name in self.entries if name not in {SNAPSHOT, MANIFEST}}


def seal(plain: Path, manifest: Manifest, recipients: Iterable[str], target: Path) -> Manifest:
    """Make a backup of the tar that a host has packed: the manifest put in, the whole encrypted. Returns the manifest.

    The plain file is read, changed and left to the caller to remove. Raises UsageError when it is not such a tar.
    """
    entries = _sums(plain)
    if SNAPSHOT not in entries:
        raise UsageError(f"the host packed no {SNAPSHOT}", remedy="look at the step that takes the snapshot")
    whole = Manifest(**{**asdict(manifest), "entries": entries})
    text = json.dumps(asdict(whole), indent=1).encode()
    with tarfile.open(plain, "a") as tar:
        about = tarfile.TarInfo(MANIFEST)
        about.size, about.mode, about.mtime = len(text), 0o600, int(manifest.created)
        tar.addfile(about, BytesIO(text))
    readers = [pyrage.x25519.Recipient.from_str(recipient) for recipient in dict.fromkeys(recipients)]
    with _beside(target) as part, plain.open("rb") as source, part.open("wb") as sink:
        pyrage.encrypt_io(source, sink, readers)
        sink.flush()
        os.fsync(sink.fileno())
    return whole


@contextmanager
def opened(sealed: Path, identities: Sequence[str], folder: Path) -> Iterator[tuple[Manifest, tarfile.TarFile]]:
    """A backup, decrypted into a file of `folder` that goes when the context ends; every entry has been compared.

    Raises StateError when none of the keys reads it, ChecksumMismatch when it is damaged, UsageError when it is none.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=folder, prefix=".backup-") as plain:
        with sealed.open("rb") as source:
            encrypted = source.read(len(_AGE)) == _AGE
        if encrypted:
            _decrypt(sealed, identities, Path(plain.name))
        readable = Path(plain.name) if encrypted else sealed
        manifest = _compared(readable, sealed.name)
        with tarfile.open(readable, "r") as tar:
            yield manifest, tar


def _decrypt(sealed: Path, identities: Sequence[str], target: Path) -> None:
    keys = [pyrage.x25519.Identity.from_str(identity) for identity in identities]
    try:
        with sealed.open("rb") as source, target.open("wb") as sink:
            pyrage.decrypt_io(source, sink, keys)
    except pyrage.DecryptError as error:
        raise StateError(
            f"{sealed.name} cannot be read: {error}",
            remedy="give the key that it was made for with --identity, or restore RAIJIN_HOME/identity.age",
        ) from error
    except OSError as error:
        if error.errno is None:  # age has found a chunk that is not what was written
            raise ChecksumMismatch(f"{sealed.name} is damaged: {error}", remedy="use another copy of it") from error
        raise StateError(f"{sealed.name} cannot be opened in {target.parent}: {error.strerror}") from error


def read_entry(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    if stream is None:
        raise UsageError(f"{name} in the backup is not a file")
    return stream.read()


def extract_snapshot(tar: tarfile.TarFile, target: Path) -> None:
    """The snapshot as a file of mode 0600."""
    stream = tar.extractfile(SNAPSHOT)
    if stream is None:
        raise UsageError(f"{SNAPSHOT} in the backup is not a file")
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as sink:
        while chunk := stream.read(1024 * 1024):
            sink.write(chunk)


def _compared(plain: Path, name: str) -> Manifest:
    try:
        with tarfile.open(plain, "r") as tar:
            data = json.loads(read_entry(tar, MANIFEST))
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise UsageError(f"{name} is not a backup that Raijin made: {error}") from error
    if data.get("format") != FORMAT:
        raise UsageError(f"{name} has format {data.get('format')}, this Raijin reads {FORMAT}")
    manifest, found = Manifest(**data), _sums(plain)
    found.pop(MANIFEST, None)
    if found != dict(manifest.entries):
        wrong = sorted(set(found.items()) ^ set(manifest.entries.items()))
        raise ChecksumMismatch(f"{name} is damaged: {', '.join(sorted({entry for entry, _ in wrong}))}")
    return manifest


def _sums(plain: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        with tarfile.open(plain, "r") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isfile() else None
                if stream is not None:
                    found[member.name.removeprefix("./")] = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    except tarfile.TarError as error:
        raise UsageError(f"{plain.name} is not a tar: {error}") from error
    return found


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A name to write under, renamed to the target when all went well."""
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        part.chmod(0o600)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
