"""What must survive a restart: runs and their journal, locks, who belongs to which cluster, secrets."""

from __future__ import annotations

import os
from pathlib import Path

from raijin.errors import StateError

DATABASE = "state.sqlite"
"""The file in RAIJIN_HOME."""

HEAD = "0007"
"""The newest revision in state/migrations/versions."""

BUSY_MILLISECONDS = 30_000


DATABASE_URL = "RAIJIN_DATABASE_URL"
"""The one setting that puts the state, and the durable engine with it, into PostgreSQL instead of RAIJIN_HOME."""


def database_url() -> str:
    """The PostgreSQL database that the environment names, without a driver; empty where the state is in RAIJIN_HOME.

    Raises StateError for an address of anything else.
    """
    url = os.environ.get(DATABASE_URL, "")
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise StateError(
            f"{DATABASE_URL} does not name a PostgreSQL database",
            remedy="write it as in postgresql://raijin@db.example.org/raijin, or leave it out to use SQLite",
        )
    return url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url


def has_state(home: Path) -> bool:
    """Whether anything was ever run from here; asking must not create it."""
    return bool(database_url()) or (home / DATABASE).is_file()


def unusable(path: Path, error: Exception) -> StateError:
    """The error for a database that cannot be opened, read or written."""
    if database_url():
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        remedy = f"look at the database that {DATABASE_URL} names: is it there, and may you use it?"
        return StateError(f"the state database cannot be used: {reason}", remedy=remedy)
    remedy = "make RAIJIN_HOME writable; if the file is damaged, move it away (clusters are not touched by that)"
    return StateError(f"the state database {path} cannot be used: {error}", remedy=remedy)
