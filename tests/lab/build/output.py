"""The output directory: files/, images/ and the index that names them, whatever a part puts there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common import say
from components import Component
from debian import unpack_closure
from golang import Built, Go
from oci import Image, Tree, write_archive, write_image


@dataclass(frozen=True)
class Artifact:
    """A file for hosts, named and laid out as its project releases it."""

    name: str
    version: str
    kind: str
    file: str
    write: Callable[[Path], object]


@dataclass(frozen=True)
class Material:
    """Everything that goes into one output directory."""

    components: dict[str, Component]
    built: dict[str, Built]
    go: Go
    cache: Path
    arch: str

    def version(self, component: str) -> str:
        """The version as the project names it: of images, files and in the index."""
        return self.components[component].release

    def program(self, component: str, name: str) -> Path:
        return self.built[component].folder / name

    def programs(self, component: str, *, below: str = "") -> Tree:
        tree = Tree()
        for name in self.components[component].programs:
            tree.file(below + name, self.program(component, name))
        return tree

    def source(self, component: str) -> Path:
        """The component's module as it was fetched, for what is in it besides programs."""
        return self.go.source(self.components[component])

    def packages(self, name: str, packages: tuple[str, ...]) -> Path:
        """A folder with the programs of Debian packages below root/, downloaded once."""
        folder = self.cache / "packages" / name
        finished = folder / ".finished"
        if not finished.exists():
            say(f"downloading {', '.join(packages)}")
            unpack_closure(packages, folder)
            finished.touch()
        return folder

    def binary(self, name: str, component: str, file: str = "", program: str = "") -> Artifact:
        path = self.program(component, program or name)
        return Artifact(name, self.version(component), "binary", file or name, partial(shutil.copy2, path))

    def archive(self, component: str, file: str, tree: Tree, *, prefix: str = "", named: str = "") -> Artifact:
        write = partial(write_archive, tree, prefix=prefix)
        return Artifact(named or component, self.version(component), "archive", file, write)


def write_output(out: Path, arch: str, artifacts: Iterable[Artifact], images: Iterable[Image]) -> None:
    """Fill an empty directory with files/, images/ and artifacts.yaml."""
    (out / "files").mkdir(parents=True)
    (out / "images").mkdir()
    lines = ["artifacts:"]
    for artifact in artifacts:
        file = f"files/{artifact.file}"
        artifact.write(out / file)
        entry = {"name": artifact.name, "version": artifact.version, "arch": arch}
        lines.append(_line({**entry, "kind": artifact.kind, "file": file}))
    lines.append("images:")
    for image in images:
        file = f"images/{image.file_name}"
        say(f"writing {file}")
        write_image(image, arch, out / file)
        lines.append(_line({"ref": image.ref, "arch": arch, "file": file}))
    (out / "artifacts.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(entry: dict[str, str]) -> str:
    return "  - {" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in entry.items()) + "}"
