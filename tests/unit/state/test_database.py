"""The state database: fresh, migrated, newer, damaged, in a place that cannot be written, opened by two at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy import text as sqlalchemy_text

from raijin import state
from raijin.errors import StateError
from raijin.state import HEAD
from raijin.state import database as database_module
from raijin.state.database import _run_migrations, open_database
from raijin.state.tables import METADATA


def test_a_fresh_home_is_private_and_at_the_newest_revision(home: Path) -> None:
    engine = open_database(home)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()
    assert found == HEAD
    assert home.stat().st_mode & 0o777 == 0o700


def written(path: Path) -> dict[str, str]:
    """How every table and index of a database was made, white space and quotes apart."""
    with sqlite3.connect(path) as raw:
        rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    raw.close()
    return {name: "".join(sql.split()).replace('"', "") for name, sql in rows}


def test_the_migrations_make_the_tables_that_the_program_uses(home: Path, tmp_path: Path) -> None:
    """Law of state/tables.py: a change there needs a migration beside it. A new database is made from the tables."""
    open_database(home).dispose()
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite'}")
    with engine.connect() as connection:
        _run_migrations(connection)
        connection.commit()
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()
    assert written(tmp_path / "migrated.sqlite") == written(home / "state.sqlite")


def test_a_creation_that_is_cut_short_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(database_module.sa, "text", lambda text: 1 / 0 if "INSERT" in text else sqlalchemy_text(text))
        with pytest.raises(ZeroDivisionError):
            open_database(home)
    assert written(home / "state.sqlite") == {}
    open_database(home).dispose()
    assert "runs" in written(home / "state.sqlite")


def test_head_is_the_newest_migration_and_each_has_one_successor() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(state.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_open_database_is_not_migrated_again(home: Path, database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening is on the way of every command: no alembic when there is nothing to migrate."""
    del database
    monkeypatch.setitem(sys.modules, "alembic", None)
    open_database(home).dispose()


def test_a_newer_database_is_refused_and_left_alone(home: Path, database) -> None:
    database.dispose()
    with sqlite3.connect(home / "state.sqlite") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StateError, match="revision 9999, newer than this Raijin's") as caught:
        open_database(home)
    assert "upgrade Raijin" in (caught.value.remedy or "")


def test_a_file_that_is_no_database(home: Path) -> None:
    home.mkdir()
    (home / "state.sqlite").write_text("this is not a database, whatever its name says" * 100)
    with pytest.raises(StateError, match=r"state\.sqlite cannot be used") as caught:
        open_database(home)
    assert caught.value.remedy


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be used"):
        open_database(tmp_path / "file" / "home")


OPEN = "import sys; from pathlib import Path; from raijin.state.database import open_database\n"
OPEN += "sys.stdin.readline(); open_database(Path(sys.argv[1])).dispose()"


@pytest.mark.slow
def test_two_first_commands_at_the_same_time(home: Path) -> None:
    """Both find no database; one makes it, the other uses it."""
    argv = [sys.executable, "-c", OPEN, str(home)]
    children = [subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    ended = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0] * 4, ended
