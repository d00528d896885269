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
    Column("request", Text),
    Index("runs_by_cluster", "cluster", "created"),
    Index("runs_by_time", "created", "id"),
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

MACHINES = Table(
    "machines",
    METADATA,
    Column("name", String, primary_key=True),
    Column("cluster", String, nullable=False),
    Column("pool", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("target", Text, nullable=False),
    Column("since", Float, nullable=False),
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

RUNNERS = Table(
    "runners",
    METADATA,
    Column("id", String, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("expires", Float, nullable=False),
)

PLANS = Table(
    "plans",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("cluster", String, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("created", Float, nullable=False),
)

REPLIES = Table(
    "replies",
    METADATA,
    Column("who", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request", String, nullable=False),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", Text),
    Column("created", Float, nullable=False),
)

USERS = Table(
    "users",
    METADATA,
    Column("name", String, primary_key=True),
    Column("password", Text),
    Column("grants", Text, nullable=False),
    Column("origin", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("disabled", Integer, nullable=False, server_default="0"),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("grants", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("used", Float),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("secret", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("grants", Text),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("who", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("address", String, nullable=False),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("result", String, nullable=False),
    Column("run", String, nullable=False),
    Column("plan", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
    Index("audit_by_target", "target", "number"),
)

SAMPLES = Table(
    "samples",
    METADATA,
    Column("cluster", String, primary_key=True),
    Column("node", String, primary_key=True),
    Column("at", Float, primary_key=True),
    Column("cpu_used", Float, nullable=False),
    Column("cpu_size", Float, nullable=False),
    Column("cpu_requested", Float, nullable=False),
    Column("cpu_peak", Float, nullable=False),
    Column("memory_used", Float, nullable=False),
    Column("memory_size", Float, nullable=False),
    Column("memory_requested", Float, nullable=False),
    Column("memory_peak", Float, nullable=False),
    Column("pods", Integer, nullable=False),
    Column("pods_size", Integer, nullable=False),
    Column("takes_pods", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Index("samples_by_time", "cluster", "at"),
)

POD_SAMPLES = Table(
    "pod_samples",
    METADATA,
    Column("cluster", String, primary_key=True),
    Column("namespace", String, primary_key=True),
    Column("pod", String, primary_key=True),
    Column("at", Float, primary_key=True),
    Column("node", String, nullable=False),
    Column("cpu_used", Float, nullable=False),
    Column("cpu_requested", Float, nullable=False),
    Column("memory_used", Float, nullable=False),
    Column("memory_requested", Float, nullable=False),
    Index("pod_samples_by_time", "cluster", "at"),
)

COLLECTED = Table(
    "collected",
    METADATA,
    Column("cluster", String, primary_key=True),
    Column("at", Float, nullable=False),
    Column("source", String, nullable=False),
    Column("faults", Text, nullable=False),
)

LOOKS = Table(
    "looks",
    METADATA,
    Column("cluster", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("at", Float, nullable=False),
    Column("data", Text, nullable=False),
)
