"""What must survive a restart: runs and their journal, locks, who belongs to which cluster, secrets."""

from __future__ import annotations

from pathlib import Path

from raijin.errors import StateError

DATABASE = "state.sqlite"
"""The file in RAIJIN_HOME."""

HEAD = "0002"
"""The newest revision in state/migrations/versions."""

BUSY_MILLISECONDS = 30_000


def unusable(path: Path, error: Exception) -> StateError:
    """The error for a database that cannot be opened, read or written."""
    remedy = "make RAIJIN_HOME writable; if the file is damaged, move it away (clusters are not touched by that)"
    return StateError(f"the state database {path} cannot be used: {error}", remedy=remedy)
