"""raijin.lock.yaml: for every artifact and image of a definition, the sha256 that must arrive, and where it comes from.

The file stands beside the definition and belongs into Git. `raijin artifacts lock` writes it from upstream's published
checksum files or from a bundle; nothing else does, and a sha256 is never computed from a download to vouch for that
same download. Form, in stable order:

    version: 1
    artifacts:
    - {name, version, arch, kind, file, url, sha256, size, members, source}
    images:
    - {ref, arch, file, digest, sha256, size, source}

`source` says who vouches for the sha256: a URL of a checksum file, `registry` (the tar was made from blobs that the
image's digest names) or `builder` (whoever built the bundle). `url` and `digest` are empty when only a bundle has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from raijin.artifacts.catalogue import KINDS, Kind, normal_arch, normal_version
from raijin.artifacts.images import ImageRef
from raijin.errors import ArtifactError
from raijin.transport.delivery import atomic_write
from raijin.transport.yamls import read_yaml

LOCK_FILE = "raijin.lock.yaml"
LOCK_VERSION = 1
LOCK_REMEDY = "run `raijin artifacts lock`, or `raijin bundle import FILE` where there is no internet"
_HEADER = "# Written by `raijin artifacts lock`; keep it in Git beside the definition.\n"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LockEntry:
    """One file. `size` is in bytes, 0 when upstream did not say; `members`: the paths in an archive that matter."""

    name: str
    version: str
    arch: str
    kind: Kind
    file: str
    sha256: str
    size: int = 0
    url: str = ""
    members: tuple[str, ...] = ()
    source: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.name, self.version.removeprefix("v"), normal_arch(self.arch))

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.arch})"


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image of one architecture as a tar. `digest` is of its manifest, empty when only a bundle has the image."""

    ref: str
    arch: str
    file: str
    sha256: str
    size: int = 0
    digest: str = ""
    source: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return (str(ImageRef.parse(self.ref)), normal_arch(self.arch))

    def __str__(self) -> str:
        return f"image {self.ref} ({self.arch})"


Entry = LockEntry | ImageEntry
E = TypeVar("E", LockEntry, ImageEntry)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file or a bundle holds. `origin` names it in messages."""

    artifacts: tuple[LockEntry, ...] = ()
    images: tuple[ImageEntry, ...] = ()
    origin: str = LOCK_FILE

    def get(self, name: str, version: str, arch: str) -> LockEntry | None:
        wanted = (name, version.removeprefix("v"), normal_arch(arch))
        return next((entry for entry in self.artifacts if entry.key == wanted), None)

    def find(self, name: str, version: str, arch: str) -> LockEntry:
        """The entry; raises ArtifactError with the remedy when there is none."""
        entry = self.get(name, version, arch)
        if entry is None:
            raise missing([f"{name} {normal_version(version)} ({normal_arch(arch)})"], self.origin)
        return entry

    def get_image(self, ref: str, arch: str) -> ImageEntry | None:
        wanted = (str(ImageRef.parse(ref)), normal_arch(arch))
        return next((entry for entry in self.images if entry.key == wanted), None)

    def find_image(self, ref: str, arch: str) -> ImageEntry:
        """The entry; raises ArtifactError with the remedy when there is none."""
        entry = self.get_image(ref, arch)
        if entry is None:
            raise missing([f"image {ref} ({normal_arch(arch)})"], self.origin)
        return entry

    def versions_of(self, name: str) -> list[str]:
        """The versions of an artifact that are held, in whatever architectures."""
        return sorted({entry.version for entry in self.artifacts if entry.name == name})

    def tags_of(self, image_name: str) -> list[str]:
        """The tags of an image (named registry/repository) that are held."""
        refs = (ImageRef.parse(entry.ref) for entry in self.images)
        return sorted({ref.tag for ref in refs if ref.name == image_name and ref.tag})

    def merged(self, newer: Lock) -> Lock:
        """Both; where both have the same artifact, the newer one's entry."""
        artifacts = {entry.key: entry for entry in (*self.artifacts, *newer.artifacts)}
        images = {entry.key: entry for entry in (*self.images, *newer.images)}
        return Lock(tuple(artifacts.values()), tuple(images.values()), self.origin)

    def entries(self) -> tuple[Entry, ...]:
        """All, in the order of the file."""
        return (*sorted(self.artifacts, key=_by_key), *sorted(self.images, key=_by_key))

    def sums(self) -> frozenset[str]:
        """Every sha256 held: what the cache must keep for this lock."""
        return frozenset(entry.sha256 for entry in self.entries())


def _by_key(entry: Entry) -> tuple[str, ...]:
    return entry.key


def missing(what: Iterable[str], origin: str) -> ArtifactError:
    """One error for all that a lock lacks."""
    names = list(what)
    shown = names[0] if len(names) == 1 else f"{len(names)} artifacts: {', '.join(names)}"
    return ArtifactError(f"{origin} does not hold {shown}", remedy=LOCK_REMEDY, detail="\n".join(names))


def lock_path(definition: Path) -> Path:
    """Where the lock file of a definition (a file or a folder) stands."""
    return (definition if definition.is_dir() else definition.parent) / LOCK_FILE


def read_lock(path: Path) -> Lock:
    """The lock file at `path`. Raises ArtifactError when it is absent, unreadable or wrong (every fault named)."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no lock file at {path}", remedy=LOCK_REMEDY) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"cannot read {path}: {error}", remedy="look at the file and its permissions") from error
    try:
        document = read_yaml(text)
    except yaml.YAMLError as error:
        raise ArtifactError(
            f"{path} is not YAML", remedy="restore it from Git, or run `raijin artifacts lock`", detail=str(error)
        ) from error
    return parse_lock(document, str(path))


def parse_lock(document: object, origin: str) -> Lock:
    """A lock from plain data (a lock file, or the manifest of a bundle). Raises ArtifactError naming every fault."""
    if not isinstance(document, dict):
        raise ArtifactError(f"{origin} is not a lock file", remedy=LOCK_REMEDY)
    if document.get("version") != LOCK_VERSION:
        raise ArtifactError(
            f"{origin} has format version {document.get('version')!r}, this Raijin reads version {LOCK_VERSION}",
            remedy="use the Raijin that wrote it, or run `raijin artifacts lock` again",
        )
    faults: list[str] = []
    artifacts = _entries(document, "artifacts", LockEntry, faults)
    images = _entries(document, "images", ImageEntry, faults)
    if not faults:
        _note_doubles((*artifacts, *images), faults)
    if faults:
        raise ArtifactError(
            f"{origin}: {faults[0]}" + (f" (and {len(faults) - 1} more)" if faults[1:] else ""),
            remedy="restore the file from Git, or run `raijin artifacts lock`",
            detail="\n".join(faults),
        )
    return Lock(tuple(artifacts), tuple(images), origin)


def write_lock(path: Path, lock: Lock) -> None:
    """Write the lock file: sorted, atomically, byte-identical for an equal lock."""
    text = yaml.safe_dump(lock_document(lock), sort_keys=False, width=1000)
    atomic_write(path, (_HEADER + text).encode())


def lock_document(lock: Lock) -> dict[str, Any]:
    """The lock as plain data, without empty fields, in stable order."""
    rows: list[list[dict[str, Any]]] = [[], []]
    for entry in lock.entries():
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(entry).items()}
        rows[isinstance(entry, ImageEntry)].append({name: value for name, value in values.items() if value})
    return {"version": LOCK_VERSION, "artifacts": rows[0], "images": rows[1]}


def _entries(document: dict[Any, Any], section: str, kind: type[E], faults: list[str]) -> list[E]:
    rows = document.get(section) or []
    if not isinstance(rows, list):
        faults.append(f"{section} is not a list")
        return []
    made: list[E] = []
    for number, row in enumerate(rows):
        found = _row_faults(row, kind)
        faults.extend(f"{section}[{number}]: {fault}" for fault in found)
        if not found:
            values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in row.items()}
            made.append(kind(**values))
    return made


def _row_faults(row: object, kind: type[LockEntry | ImageEntry]) -> list[str]:
    if not isinstance(row, dict):
        return ["not a mapping"]
    known = {item.name for item in fields(kind)}
    faults = [f"unknown field {name!r}" for name in row if name not in known]
    required = (
        ("ref", "arch", "file", "sha256") if kind is ImageEntry else ("name", "version", "arch", "file", "sha256")
    )
    faults += [f"{name} is missing" for name in required if not row.get(name)]
    for name, value in row.items():
        if name == "members":
            good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        elif name == "size":
            good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        else:
            good = isinstance(value, str)
        if not good:
            faults.append(f"{name} has a value of the wrong type ({value!r})")
    return faults or _value_faults(row, kind)


def _value_faults(row: dict[str, Any], kind: type[LockEntry | ImageEntry]) -> list[str]:
    faults = []
    if not _SHA256.fullmatch(row["sha256"]):
        faults.append(f"sha256 is not 64 lower-case hexadecimal digits ({row['sha256']!r})")
    if not is_plain_name(row["file"]):
        faults.append(f"file must be a plain name without folders ({row['file']!r})")
    if kind is LockEntry and row.get("kind") not in KINDS:
        faults.append(f"kind must be one of {', '.join(KINDS)} ({row.get('kind')!r})")
    if kind is ImageEntry:
        if row.get("digest") and not _DIGEST.fullmatch(row["digest"]):
            faults.append(f"digest is not sha256:... ({row['digest']!r})")
        try:
            ImageRef.parse(row["ref"])
        except ArtifactError as error:
            faults.append(error.message)
    return faults


def is_plain_name(name: str) -> bool:
    """True for a file name that cannot leave its folder: no slash, no control character, not . or .. ."""
    return name not in {"", ".", ".."} and "/" not in name and "\\" not in name and name.isprintable()


def _note_doubles(entries: Iterable[Entry], faults: list[str]) -> None:
    seen: set[tuple[str, ...]] = set()
    for entry in entries:
        if entry.key in seen:
            faults.append(f"{entry} is listed twice")
        seen.add(entry.key)
