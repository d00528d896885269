"""Machines that were made because a definition counts them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "machines",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("pool", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
    )
