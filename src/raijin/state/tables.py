"""The tables. A change here needs a migration beside it (state/migrations/versions) and a new HEAD in database.py."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("id", String, primary_key=True),
    Column("cluster", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("status", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("plan", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("finished", Float),
    Column("error", Text),
    Column("cancel", Integer, nullable=False, server_default="0"),
    Index("runs_by_cluster", "cluster", "created"),
)

STEPS = Table(
    "steps",
    METADATA,
    Column("run", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("stage", String, nullable=False),
    Column("target", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started", Float),
    Column("seconds", Float),
    Column("error", Text),
    Index("steps_by_stage", "stage", "state"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("step", String, nullable=False),
    Column("host", String, nullable=False),
    Column("data", Text, nullable=False),
    Index("events_by_run", "run", "id"),
)

LOCKS = Table(
    "locks",
    METADATA,
    Column("name", String, primary_key=True),
    Column("run", String, nullable=False),
    Column("owner", Text, nullable=False),
    Column("acquired", Float, nullable=False),
    Column("expires", Float, nullable=False),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("cluster", String, primary_key=True),
    Column("host", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("target", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("quarantine", Text),
)

BACKUPS = Table(
    "backups",
    METADATA,
    Column("id", String, primary_key=True),
    Column("cluster", String, nullable=False),
    Column("version", String, nullable=False),
    Column("host", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("sha256", String, nullable=False),
    Column("verified", Float),
    Column("keys", Integer),
    Column("fault", Text),
)
