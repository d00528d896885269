"""The air-gap bundle as a file: an uncompressed tar (what it carries is compressed already).

    bundle.json              first: {"bundle": 1, "tool": "raijin 0.1.0", and the fields of a lock file}
    blobs/sha256/<sha256>    each file once, whatever it is called

The entries are those of the lock file. Reading looks at all headers before a byte is used: a tar that was cut off,
holds names that lead elsewhere, or does not hold exactly what its manifest lists, is refused as a whole. No name out of
the tar is ever used as a path.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from raijin import __version__
from raijin.artifacts.cache import Cache
from raijin.artifacts.lock import Lock, lock_document, parse_lock
from raijin.errors import ArtifactError
from raijin.transport.base import ByteCounter
from raijin.transport.delivery import CHUNK

BUNDLE_VERSION = 1
MANIFEST = "bundle.json"
BLOBS = "blobs/sha256/"
_LONGEST_MANIFEST = 64 * 1024 * 1024
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_BROKEN = "copy the bundle again from where it was made, then `raijin bundle verify FILE`"


@dataclass(frozen=True, slots=True)
class BundleManifest:
    """What a bundle says it holds. `lock.origin` is the bundle's path; `tool` is what made it."""

    lock: Lock
    tool: str = f"raijin {__version__}"

    def to_json(self) -> bytes:
        head = {"bundle": BUNDLE_VERSION, "tool": self.tool}
        return json.dumps(head | lock_document(self.lock), indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes, origin: str) -> BundleManifest:
        """Raises ArtifactError when it is not a manifest that this Raijin can read."""
        try:
            document: Any = json.loads(text)
        except ValueError as error:
            raise not_a_bundle(origin, f"its {MANIFEST} is not JSON ({error})") from error
        if not isinstance(document, dict) or "bundle" not in document:
            raise not_a_bundle(origin, f"its {MANIFEST} is not a bundle's")
        if document["bundle"] != BUNDLE_VERSION:
            raise ArtifactError(
                f"{origin} is a bundle of format {document['bundle']!r}, this Raijin reads format {BUNDLE_VERSION}",
                remedy=f"import it with the Raijin that made it ({document.get('tool', 'unknown')}), or make it anew",
            )
        return cls(parse_lock(document, origin), str(document.get("tool", "unknown")))

    def names(self) -> dict[str, str]:
        """sha256 -> what it is, for messages."""
        return {entry.sha256: str(entry) for entry in self.lock.entries()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a bundle: the entry it concerns, and what is wrong with it (missing, extra, damaged, ...)."""

    entry: str
    problem: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.problem}"


class OpenBundle:
    """A bundle whose headers have been read. `findings` are the faults seen so far; contents were not hashed."""

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self.path = path
        self._tar = tar
        self._members: dict[str, tarfile.TarInfo] = {}
        self.findings: list[Finding] = []
        self.manifest = self._read_manifest()
        self._index()

    def _read_manifest(self) -> BundleManifest:
        first = self._tar.next()
        stream = self._tar.extractfile(first) if first is not None and first.name == MANIFEST else None
        if first is None or stream is None or first.size > _LONGEST_MANIFEST:
            raise not_a_bundle(str(self.path), f"it does not begin with {MANIFEST}")
        text = stream.read()
        if len(text) != first.size:
            raise not_a_bundle(str(self.path), f"it ends within {MANIFEST}")
        return BundleManifest.from_json(text, str(self.path))

    def _index(self) -> None:
        sizes = {entry.sha256: entry.size for entry in self.manifest.lock.entries()}
        names = self.manifest.names()
        try:
            while (member := self._tar.next()) is not None:
                self._admit(member, sizes)
            self._check_end()
        except (tarfile.TarError, OSError) as error:
            self._cut_off(str(error))
        for sha256, name in names.items():
            if sha256 not in self._members:
                self.findings.append(Finding(name, f"missing from the bundle ({BLOBS}{sha256})"))

    def _admit(self, member: tarfile.TarInfo, sizes: dict[str, int]) -> None:
        found = _BLOB.fullmatch(member.name)
        plain = member.type in {tarfile.REGTYPE, tarfile.AREGTYPE} and not member.issparse()
        if not found:
            outside = member.name.startswith("/") or ".." in member.name.split("/")
            self.findings.append(Finding(repr(member.name), "leads out of the bundle" if outside else "unexpected"))
        elif not plain:
            self.findings.append(Finding(member.name, "is not a plain file"))
        elif found[1] not in sizes:
            self.findings.append(Finding(member.name, "extra: the manifest does not list it"))
        elif found[1] in self._members:
            self.findings.append(Finding(member.name, "is there twice"))
        else:
            self._members[found[1]] = member
            if sizes[found[1]] not in {0, member.size}:
                problem = f"has {member.size} bytes, the manifest says {sizes[found[1]]}"
                self.findings.append(Finding(self.manifest.names()[found[1]], problem))

    def _check_end(self) -> None:
        """tarfile takes a broken header for the end; the real end is a block of zeros."""
        with self.path.open("rb") as stream:
            stream.seek(self._tar.offset)
            if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
                self._cut_off("no end mark")

    def _cut_off(self, reason: str) -> None:
        self.findings.append(Finding(str(self.path), f"cut off or damaged at byte {self._tar.offset} ({reason})"))

    def held(self) -> list[str]:
        """The sha256 of every file, in the order of the tar."""
        return sorted(self._members, key=lambda sha256: self._members[sha256].offset)

    def size(self, sha256: str) -> int:
        return self._members[sha256].size

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The content of one file. Raises ArtifactError when the bundle ends within it or cannot be read."""
        stream: IO[bytes] | None = self._tar.extractfile(self._members[sha256])
        left = self.size(sha256)
        try:
            while stream is not None and left > 0 and (chunk := stream.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
        except (tarfile.TarError, OSError) as error:
            raise self.refusal(Finding(self.manifest.names()[sha256], f"cannot be read ({error})")) from error
        if left:
            raise self.refusal(Finding(self.manifest.names()[sha256], f"cut off {left} bytes before its end"))

    def extract(self, sha256: str, cache: Cache, progress: ByteCounter | None = None) -> None:
        """Copy one file into the cache. Raises ChecksumMismatch when the bundle holds something else under its name."""
        with cache.writer() as sink:
            for chunk in self.chunks(sha256):
                sink.write(chunk)
                if progress:
                    progress(len(chunk))
            sink.commit(sha256, what=self.manifest.names()[sha256], source=str(self.path))

    def refusal(self, *findings: Finding) -> ArtifactError:
        """The error for faults of this bundle."""
        listed = list(findings) or self.findings
        more = f" (and {len(listed) - 1} more)" if listed[1:] else ""
        return ArtifactError(
            f"bundle {self.path} is damaged: {listed[0]}{more}",
            remedy=_BROKEN,
            detail="\n".join(str(finding) for finding in listed),
        )


@contextmanager
def open_bundle(path: Path) -> Iterator[OpenBundle]:
    """Open and look through the headers. Raises ArtifactError when it is absent, or no bundle that can be read."""
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed below; opening is what is guarded here
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no bundle at {path}", remedy="check the path") from error
    except (tarfile.TarError, OSError) as error:
        raise not_a_bundle(str(path), str(error)) from error
    with tar:
        try:
            bundle = OpenBundle(path, tar)
        except (tarfile.TarError, OSError) as error:
            raise not_a_bundle(str(path), str(error)) from error
        yield bundle


def not_a_bundle(origin: str, reason: str) -> ArtifactError:
    return ArtifactError(
        f"{origin} is not a Raijin bundle: {reason}",
        remedy="make one with `raijin bundle create`; it must not be compressed as a whole",
    )
