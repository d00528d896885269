"""The newest runs of all clusters are found by an index."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("runs_by_time", "runs", ["created", "id"])
