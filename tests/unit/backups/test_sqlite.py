"""Backups of K3s servers with SQLite: read as what they are, not as etcd's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from raijin.backups.verifying import _read_sqlite, kinds_of
from raijin.errors import OperationFailed


def test_what_is_in_it_is_counted(tmp_path: Path) -> None:
    database = tmp_path / "state.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE kine (id INTEGER PRIMARY KEY, name TEXT, deleted INTEGER)")
        rows = [
            ("/registry/pods/default/a", 0),
            ("/registry/pods/default/b", 0),
            ("/registry/pods/default/b", 1),
            ("/registry/secrets/default/s", 0),
            ("compact_rev_key", 0),
        ]
        connection.executemany("INSERT INTO kine (name, deleted) VALUES (?, ?)", rows)
        connection.commit()
    assert kinds_of(_read_sqlite(database, "one.tar.age")) == {"pods": 1, "secrets": 1}


def test_a_damaged_one_is_of_no_use(tmp_path: Path) -> None:
    database = tmp_path / "state.db"
    database.write_bytes(b"no database at all" * 100)
    with pytest.raises(OperationFailed, match=r"one.tar.age cannot be restored"):
        _read_sqlite(database, "one.tar.age")
