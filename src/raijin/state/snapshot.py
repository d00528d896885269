"""What a plan reads of the state, by the standard library: SQLAlchemy takes a quarter of a second to import.

Reading only; whoever writes uses Members and Runs. A database that does not exist is not made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from raijin.state import BUSY_MILLISECONDS, DATABASE, HEAD, database_url, unusable
from raijin.state.made import MadeMachine
from raijin.state.member import Member

Rows = Callable[[str, object], list[tuple[Any, ...]]]

LAST = 2000
"""Steps that the estimates are made of."""


def read_members(home: Path, cluster: str) -> dict[str, Member]:
    """Who belongs to a cluster, in the order of joining. Raises StateError."""
    query = "SELECT host, role, target, quarantine FROM members WHERE cluster = ? ORDER BY since"
    with _reading(home) as rows:
        found = rows(query, cluster)
    return {host: Member(host, role, json.loads(target), quarantine) for host, role, target, quarantine in found}


def read_machines(home: Path, clusters: Iterable[str]) -> list[MadeMachine]:
    """The machines that were made for these clusters, in the order in which they were. Raises StateError."""
    query = "SELECT name, cluster, pool, provider, target FROM machines WHERE cluster = ? ORDER BY since, name"
    with _reading(home) as rows:
        found = [row for cluster in clusters for row in rows(query, cluster)]
    return [MadeMachine(name, owner, group, maker, json.loads(target)) for name, owner, group, maker, target in found]


def read_owners(home: Path, names: Iterable[str]) -> dict[str, str]:
    """The clusters that machines of these names were made for. Raises StateError."""
    with _reading(home) as rows:
        found = [row for name in names for row in rows("SELECT name, cluster FROM machines WHERE name = ?", name)]
    return {str(name): str(cluster) for name, cluster in found}


def read_timings(home: Path, *, last: int = LAST) -> dict[str, float]:
    """Mean seconds of a step by stage, over the newest finished steps: the next plan's estimates. Raises StateError.

    `upgrade@v1.35.4` counts as `upgrade`.
    """
    query = """
        SELECT stage, seconds FROM steps WHERE state = 'done' AND seconds IS NOT NULL ORDER BY started DESC LIMIT ?"""
    seconds: dict[str, list[float]] = {}
    with _reading(home) as rows:
        for stage, took in rows(query, last):
            seconds.setdefault(stage.partition("@")[0], []).append(float(took))
    return {stage: sum(all_of) / len(all_of) for stage, all_of in seconds.items()}


@contextmanager
def _reading(home: Path) -> Iterator[Rows]:
    """A function from a query to its rows; one that finds nothing where there is no database."""
    path = home / DATABASE
    if database_url():
        with _reading_postgresql(home) as rows:
            yield rows
        return
    if not path.is_file():
        yield lambda query, value: []
        return
    try:
        with closing(_connect(path)) as raw:
            if _revision(raw) != HEAD:
                # An older one is migrated by those who know how; a newer one they refuse.
                from raijin.state.database import open_database  # noqa: PLC0415

                open_database(home).dispose()
            yield lambda query, value: raw.execute(query, (value,)).fetchall()
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error


@contextmanager
def _reading_postgresql(home: Path) -> Iterator[Rows]:
    from raijin.state.database import open_database  # noqa: PLC0415

    engine = open_database(home)
    try:
        with engine.connect() as db:
            yield lambda query, value: [
                tuple(row) for row in db.exec_driver_sql(query.replace("?", "%s"), (value,)).fetchall()
            ]
    finally:
        engine.dispose()


def _connect(path: Path) -> sqlite3.Connection:
    # `rw`: to look must not make a file; to read in WAL mode may have to make its shared memory.
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_MILLISECONDS / 1000)


def _revision(raw: sqlite3.Connection) -> str | None:
    try:
        row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return str(row[0]) if row else None
