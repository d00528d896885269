"""Which files a definition is in. Apart from load.py: to know the files takes none of what it takes to read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

SUFFIXES = (".yaml", ".yml", ".json")
LOCK_SUFFIX = ".lock.yaml"


def definition_files(paths: Sequence[Path]) -> list[Path]:
    """The files that these files and folders stand for."""
    files: list[Path] = []
    for path in paths:
        files += files_in(path) if path.is_dir() else [path]
    return files


def files_in(folder: Path) -> list[Path]:
    """The definition's files, not the lock file that lies beside them."""
    return sorted(file for file in folder.iterdir() if is_definition(file.name) and file.is_file())


def is_definition(name: str) -> bool:
    """Whether a file of this name is part of the definition of its folder."""
    return PurePath(name).suffix in SUFFIXES and not name.endswith(LOCK_SUFFIX)
