"""What SQLite and PostgreSQL say in different words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def writing(db: sa.Connection, name: str) -> None:
    """Be the only writer of what `name` stands for, until the transaction ends.

    SQLite has one writer at a time and must be told before the first read; PostgreSQL is given a lock for the name.
    """
    if db.dialect.name == "sqlite":
        db.exec_driver_sql("BEGIN IMMEDIATE")
        return
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    db.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def upsert(
    db: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    renewed: Sequence[str] | None = None,
) -> None:
    """Insert rows; of one whose `keys` are there already, write the `renewed` columns (default: all others)."""
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    query = insert(table)
    names = renewed if renewed is not None else [c.name for c in table.columns if c.name not in keys]
    new = {name: query.excluded[name] for name in names}
    if rows:
        db.execute(query.on_conflict_do_update(index_elements=list(keys), set_=new), [dict(row) for row in rows])
