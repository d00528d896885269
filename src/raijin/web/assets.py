"""The built files of the dashboard, by their address. Everything that can be served is known at the start.

A path of a request is looked up in a table, never put together with a folder: there is nothing to climb out of.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

BUILT = Path(__file__).parent / "dist"
FOREVER = "public, max-age=31536000, immutable"
"""For files whose name holds the hash of their content (Vite's `assets/`)."""
FRESH = "no-cache"
TYPES: Mapping[str, str] = {".js": "text/javascript", ".svg": "image/svg+xml"}
"""Whatever the tables of this machine say."""


@dataclass(frozen=True, slots=True)
class Asset:
    """packed: the same content in gzip; empty where the build made none."""

    content: bytes
    packed: bytes
    media_type: str
    cache: str
    etag: str


@dataclass(frozen=True)
class Assets:
    """folder: where the build has put them."""

    folder: Path = field(default=BUILT)

    @property
    def built(self) -> bool:
        return (self.folder / "index.html").is_file()

    @cached_property
    def _table(self) -> Mapping[str, Asset]:
        """By address without the first slash, read once; links that lead out of the folder are left out."""
        if not self.folder.is_dir():
            return {}
        root = self.folder.resolve()
        files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.resolve().is_relative_to(root)]
        plain = {path.relative_to(root).as_posix(): path for path in files if path.suffix != ".gz"}
        return {address: _read(address, path) for address, path in plain.items()}

    def get(self, address: str) -> Asset | None:
        return self._table.get(address)


def _read(address: str, path: Path) -> Asset:
    content, packed = path.read_bytes(), path.with_name(f"{path.name}.gz")
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(
        content=content,
        packed=packed.read_bytes() if packed.is_file() else b"",
        media_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        cache=FOREVER if address.startswith("assets/") else FRESH,
        etag=hashlib.sha256(content).hexdigest()[:32],
    )
