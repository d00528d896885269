"""Utilisation: samples of nodes with requests and peaks, of pods, and what the last look found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("samples")  # nothing was ever written into it
    op.create_table(
        "samples",
        sa.Column("cluster", sa.String, primary_key=True),
        sa.Column("node", sa.String, primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("cpu_used", sa.Float, nullable=False),
        sa.Column("cpu_size", sa.Float, nullable=False),
        sa.Column("cpu_requested", sa.Float, nullable=False),
        sa.Column("cpu_peak", sa.Float, nullable=False),
        sa.Column("memory_used", sa.Float, nullable=False),
        sa.Column("memory_size", sa.Float, nullable=False),
        sa.Column("memory_requested", sa.Float, nullable=False),
        sa.Column("memory_peak", sa.Float, nullable=False),
        sa.Column("pods", sa.Integer, nullable=False),
        sa.Column("pods_size", sa.Integer, nullable=False),
        sa.Column("takes_pods", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("samples_by_time", "samples", ["cluster", "at"])
    op.create_table(
        "pod_samples",
        sa.Column("cluster", sa.String, primary_key=True),
        sa.Column("namespace", sa.String, primary_key=True),
        sa.Column("pod", sa.String, primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("node", sa.String, nullable=False),
        sa.Column("cpu_used", sa.Float, nullable=False),
        sa.Column("cpu_requested", sa.Float, nullable=False),
        sa.Column("memory_used", sa.Float, nullable=False),
        sa.Column("memory_requested", sa.Float, nullable=False),
    )
    op.create_index("pod_samples_by_time", "pod_samples", ["cluster", "at"])
    op.create_table(
        "collected",
        sa.Column("cluster", sa.String, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("faults", sa.Text, nullable=False),
    )
