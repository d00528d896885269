"""What the server keeps: requests, runners, plans to approve, replies, access, the audit trail, utilisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs", recreate="auto") as runs:
        runs.add_column(sa.Column("request", sa.Text))
    _jobs()
    _access()
    _records()


def _jobs() -> None:
    op.create_table(
        "runners",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "plans",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("cluster", sa.String, primary_key=True),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "replies",
        sa.Column("who", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("request", sa.String, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.Text),
        sa.Column("created", sa.Float, nullable=False),
    )


def _access() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("password", sa.Text),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("disabled", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("grants", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("used", sa.Float),
    )
    op.create_table(
        "sessions",
        sa.Column("secret", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("csrf", sa.String, nullable=False),
        sa.Column("grants", sa.Text),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("result", sa.String, nullable=False),
        sa.Column("run", sa.String, nullable=False),
        sa.Column("plan", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    op.create_index("audit_by_target", "audit", ["target", "number"])
    op.create_table(
        "samples",
        sa.Column("cluster", sa.String, primary_key=True),
        sa.Column("node", sa.String, primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("cpu_used", sa.Float, nullable=False),
        sa.Column("cpu_size", sa.Float, nullable=False),
        sa.Column("memory_used", sa.Float, nullable=False),
        sa.Column("memory_size", sa.Float, nullable=False),
        sa.Column("pods", sa.Integer, nullable=False),
        sa.Column("pods_size", sa.Integer, nullable=False),
    )
