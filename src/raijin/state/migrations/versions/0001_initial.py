"""Runs, steps, events, locks and members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("verb", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("finished", sa.Float),
        sa.Column("error", sa.Text),
        sa.Column("cancel", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("runs_by_cluster", "runs", ["cluster", "created"])
    op.create_table(
        "steps",
        sa.Column("run", sa.String, primary_key=True),
        sa.Column("step", sa.String, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started", sa.Float),
        sa.Column("seconds", sa.Float),
        sa.Column("error", sa.Text),
    )
    op.create_index("steps_by_stage", "steps", ["stage", "state"])
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("events_by_run", "events", ["run", "id"])
    op.create_table(
        "locks",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("acquired", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("cluster", sa.String, primary_key=True),
        sa.Column("host", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("quarantine", sa.Text),
    )
