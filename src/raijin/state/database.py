"""The state database (SQLite in RAIJIN_HOME, or PostgreSQL): opened once, migrated when it is older than we are."""

from __future__ import annotations

import fcntl
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from raijin.errors import StateError
from raijin.state import BUSY_MILLISECONDS, DATABASE, HEAD, database_url, unusable

MIGRATING = 7_241_001
"""The advisory lock of PostgreSQL under which tables are made or changed: any number of ours."""


def open_database(home: Path) -> Engine:
    """The database of a RAIJIN_HOME, created (mode 0700 for the folder) or migrated as needed.

    Raises StateError when it cannot be used, or was written by a newer Raijin.
    """
    path, url = home / DATABASE, database_url()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if url:
            return _open_postgresql(url)
        engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_MILLISECONDS / 1000})
        sa.event.listen(engine, "connect", _pragmas)
        _migrate(engine, home / "state.lock")
    except (OSError, SQLAlchemyError) as error:
        raise unusable(path, error) from error
    return engine


def _open_postgresql(url: str) -> Engine:
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return engine
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATING})
        try:
            _upgrade(engine)
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATING})
    return engine


PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_MILLISECONDS}")
"""WAL with NORMAL survives a killed process; a power cut can lose the last events, never corrupt the file."""


def _pragmas(connection: object, _: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _revision(connection: sa.Connection) -> str | None:
    try:
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except DatabaseError:
        connection.rollback()
        return None


def _migrate(engine: Engine, lock_file: Path) -> None:
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    # Two first commands at the same time: the second waits, and finds it done.
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _upgrade(engine)


def _upgrade(engine: Engine) -> None:
    with engine.connect() as connection:
        revision = _revision(connection)
        if revision == HEAD:
            return
        if revision is not None and revision > HEAD:
            raise StateError(
                f"the state database has revision {revision}, newer than this Raijin's {HEAD}",
                remedy="upgrade Raijin, or use another RAIJIN_HOME",
            )
        if not sa.inspect(connection).get_table_names():
            _create(connection)
        else:
            _run_migrations(connection)
        connection.commit()


def _create(connection: sa.Connection) -> None:
    """The tables of a new database as they are today: nothing is there that would have to be migrated."""
    from raijin.state.tables import METADATA  # noqa: PLC0415

    connection.rollback()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # all or nothing: by itself SQLite keeps each table at once
    METADATA.create_all(connection)
    # As alembic itself makes and reads it.
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(sa.text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def _run_migrations(connection: sa.Connection) -> None:
    # alembic costs more than a status command may: import it only when there is something to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
