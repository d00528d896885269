"""What is known of backups: what is in them, and whether one was ever restored to try it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backups",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("verified", sa.Float),
        sa.Column("keys", sa.Integer),
        sa.Column("fault", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("backups")
