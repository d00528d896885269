"""Where this person's Raijin keeps its state."""

from __future__ import annotations

import os
from pathlib import Path


def default_home() -> Path:
    """RAIJIN_HOME, else `~/.raijin`."""
    return Path(os.environ.get("RAIJIN_HOME") or Path.home() / ".raijin")


def opened_file(home: Path, sha256: str) -> Path:
    """Where the snapshot of an opened backup lies until it is restored."""
    return home / "restore" / sha256
