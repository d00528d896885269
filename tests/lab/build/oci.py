"""Container images and archives without a container tool, the same bytes for the same files every time.

An image file is an OCI layout in a tar with Docker's manifest.json beside it: `ctr images import` and `docker load`
read it, and so does whatever copies it into a registry.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CREATED = "1970-01-01T00:00:00Z"
OCI = "application/vnd.oci.image"
ACCOUNTS = {
    "etc/passwd": b"root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
    b"nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
    "etc/group": b"root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": b"hosts: files dns\n",
}


@dataclass(frozen=True)
class Entry:
    mode: int
    content: Path | bytes | None = None
    link: str | None = None


@dataclass
class Tree:
    """What a layer or an archive holds, by path without a leading slash."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def file(self, path: str, content: Path | bytes, mode: int = 0o755) -> Tree:
        self.entries[path] = Entry(mode, content)
        return self

    def link(self, path: str, target: str) -> Tree:
        self.entries[path] = Entry(0o777, link=target)
        return self

    def directory(self, path: str, mode: int = 0o755) -> Tree:
        self.entries[path] = Entry(mode)
        return self

    def copy_of(self, root: Path) -> Tree:
        for source in root.rglob("*"):
            path = source.relative_to(root).as_posix()
            if source.is_symlink():
                self.link(path, str(source.readlink()))
            elif source.is_file():
                self.file(path, source, source.stat().st_mode & 0o755)
        return self

    def write(self, stream: IO[bytes], *, prefix: str = "", parents: bool = True) -> None:
        """Write a tar: sorted, owned by root, dated 1970."""
        everything = dict(self.entries)
        for path in self.entries if parents else ():
            for parent in list(Path(path).parents)[:-1]:
                everything.setdefault(parent.as_posix(), Entry(0o755))
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path, entry in sorted(everything.items()):
                _add(archive, prefix + path, entry)


def base_tree() -> Tree:
    """What nearly every program expects to find."""
    tree = Tree().directory("tmp", 0o1777).directory("root", 0o700).directory("run").link("var/run", "/run")
    for path, content in ACCOUNTS.items():
        tree.file(path, content, 0o644)
    return tree


@dataclass(frozen=True)
class Image:
    ref: str
    tree: Tree
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    environment: tuple[str, ...] = (f"PATH={SEARCH_PATH}",)

    @property
    def file_name(self) -> str:
        name, tag = self.ref.rsplit(":", 1)
        return f"{name.rsplit('/', 1)[-1]}-{tag}.tar"


def write_archive(tree: Tree, target: Path, *, prefix: str = "", parents: bool = True) -> None:
    """A .tar.gz of a tree."""
    with tempfile.TemporaryFile(dir=target.parent) as plain:
        tree.write(plain, prefix=prefix, parents=parents)
        plain.seek(0)
        with target.open("wb") as stream:
            _compress(plain, stream)


def write_image(image: Image, arch: str, target: Path) -> None:
    """One image of one layer as an OCI layout in a tar."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        plain, layer = Path(scratch, "layer"), Path(scratch, "layer.gz")
        with plain.open("wb") as stream:
            image.tree.write(stream)
        with plain.open("rb") as source, layer.open("wb") as stream:
            _compress(source, stream)
        config = _json(_config(image, arch, _sha256(plain)))
        manifest = _json(_manifest(config, layer))
        blobs: list[Path | bytes] = [config, layer, manifest]
        names = [f"blobs/sha256/{_sha256(blob)}" for blob in blobs]
        index = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.index.v1+json",
            "manifests": [_descriptor("manifest.v1+json", manifest) | _identity(image.ref, arch)],
        }
        docker = [{"Config": names[0], "RepoTags": [image.ref], "Layers": [names[1]]}]
        tree = Tree().file("oci-layout", _json({"imageLayoutVersion": "1.0.0"}), 0o644)
        tree.file("index.json", _json(index), 0o644).file("manifest.json", _json(docker), 0o644)
        for name, blob in zip(names, blobs, strict=True):
            tree.file(name, blob, 0o644)
        with target.open("wb") as stream:
            tree.write(stream)


def _config(image: Image, arch: str, diff_id: str) -> dict[str, Any]:
    settings: dict[str, Any] = {"Env": list(image.environment), "WorkingDir": "/"}
    chosen = {"Entrypoint": image.entrypoint, "Cmd": image.command, "User": image.user}
    settings |= {key: value for key, value in chosen.items() if value}
    return {
        "architecture": arch,
        "os": "linux",
        "created": CREATED,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": CREATED, "created_by": "tests/lab/build"}],
    }


def _manifest(config: bytes, layer: Path) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _descriptor("config.v1+json", config),
        "layers": [_descriptor("layer.v1.tar+gzip", layer)],
    }


def _identity(ref: str, arch: str) -> dict[str, Any]:
    names = {"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref.rsplit(":", 1)[-1]}
    return {"platform": {"architecture": arch, "os": "linux"}, "annotations": names}


def _descriptor(kind: str, content: Path | bytes) -> dict[str, Any]:
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    return {"mediaType": f"{OCI}.{kind}", "digest": f"sha256:{_sha256(content)}", "size": size}


def _add(archive: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode = entry.mode
    info.mtime = 0
    info.uname = info.gname = "root"
    if entry.link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
        archive.addfile(info)
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif isinstance(entry.content, bytes):
        info.size = len(entry.content)
        archive.addfile(info, io.BytesIO(entry.content))
    else:
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as source:
            archive.addfile(info, source)


def _compress(source: IO[bytes], target: IO[bytes]) -> None:
    with gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=5, mtime=0) as stream:
        shutil.copyfileobj(source, stream, 1 << 20)


def _sha256(content: Path | bytes) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
