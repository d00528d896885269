"""artifacts.yaml: how the builder of a bundle says what the files in a folder are (form: see `bundle`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from raijin.artifacts.catalogue import CATALOGUE, KINDS, normal_arch, normal_version
from raijin.artifacts.images import ImageRef, image_file_name
from raijin.artifacts.lock import ImageEntry, LockEntry, is_plain_name
from raijin.errors import ArtifactError

INVENTORY = "artifacts.yaml"
_TEXTS = {"artifacts": ("name", "version", "arch", "kind", "file"), "images": ("ref", "arch", "file")}


@dataclass(slots=True)
class Inventory:
    """Entries without their sha256, each with its file."""

    artifacts: list[tuple[LockEntry, Path]] = field(default_factory=list)
    images: list[tuple[ImageEntry, Path]] = field(default_factory=list)


def read_inventory(folder: Path) -> Inventory:
    """Read `folder`/artifacts.yaml. Raises ArtifactError naming every fault: fields, kinds, doubles, absent files."""
    path = folder / INVENTORY
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no {INVENTORY} in {folder}", remedy="describe the files there in it") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ArtifactError(f"cannot read {path}", remedy="correct the file", detail=str(error)) from error
    reading = _Reading(folder)
    reading.take(document)
    if reading.faults:
        more = f" (and {len(reading.faults) - 1} more)" if reading.faults[1:] else ""
        raise ArtifactError(
            f"{path}: {reading.faults[0]}{more}", remedy="correct the file", detail="\n".join(reading.faults)
        )
    return reading.inventory


class _Reading:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []
        self.inventory = Inventory()
        self._seen: set[tuple[str, ...]] = set()

    def take(self, document: object) -> None:
        if not isinstance(document, dict) or not document:
            self.faults.append("must hold the lists artifacts and images")
            return
        self.faults += [f"unknown section {name!r}" for name in document if name not in _TEXTS]
        for section, texts in _TEXTS.items():
            rows = document.get(section) or []
            if not isinstance(rows, list):
                self.faults.append(f"{section} is not a list")
                continue
            for number, row in enumerate(rows):
                place = f"{section}[{number}]"
                if self._well_formed(place, row, texts):
                    (self._artifact if section == "artifacts" else self._image)(place, row)

    def _well_formed(self, place: str, row: object, texts: tuple[str, ...]) -> bool:
        if not isinstance(row, dict):
            self.faults.append(f"{place} is not a mapping")
            return False
        wrong = [name for name in texts if not isinstance(row.get(name), str) or not row[name]]
        self.faults += [f"{place}: {name} must be a text (quote a bare number)" for name in wrong]
        unknown = [name for name in row if name not in {*texts, "members"}]
        self.faults += [f"{place}: unknown field {name!r}" for name in unknown]
        return not wrong and not unknown

    def _artifact(self, place: str, row: dict[str, Any]) -> None:
        version, arch = normal_version(row["version"]), normal_arch(row["arch"])
        if row["kind"] not in KINDS:
            self.faults.append(f"{place}: kind must be one of {', '.join(KINDS)}, not {row['kind']!r}")
            return
        file = self._file(place, row["file"])
        if file is None:
            return
        members = row.get("members") or _known_members(row["name"], version, arch)
        entry = LockEntry(row["name"], version, arch, row["kind"], file.name, "", members=tuple(map(str, members)))
        if self._new(place, str(entry), entry.key):
            self.inventory.artifacts.append((entry, file))

    def _image(self, place: str, row: dict[str, Any]) -> None:
        arch = normal_arch(row["arch"])
        try:
            ref = str(ImageRef.parse(row["ref"]))
        except ArtifactError as error:
            self.faults.append(f"{place}: {error.message}")
            return
        file = self._file(place, row["file"])
        if file is None:
            return
        entry = ImageEntry(ref, arch, image_file_name(ref, arch), "")
        if self._new(place, str(entry), entry.key):
            self.inventory.images.append((entry, file))

    def _file(self, place: str, name: str) -> Path | None:
        """The file, which must lie in the folder: a bundle carries what its builder means to give away."""
        root, path = self.folder.resolve(), (self.folder / name).resolve()
        if not path.is_relative_to(root) or not is_plain_name(path.name):
            self.faults.append(f"{place}: {name!r} is not inside {self.folder}")
        elif not path.is_file():
            self.faults.append(f"{place}: there is no file {name!r}")
        else:
            return self.folder / name
        return None

    def _new(self, place: str, what: str, key: tuple[str, ...]) -> bool:
        if key in self._seen:
            self.faults.append(f"{place}: {what} is listed twice")
            return False
        self._seen.add(key)
        return True


def _known_members(name: str, version: str, arch: str) -> tuple[str, ...]:
    kind = next((kind for kind in CATALOGUE if kind.name == name and kind.kind == "archive"), None)
    return kind.archive_members(version, arch) if kind and arch in kind.archs else ()
