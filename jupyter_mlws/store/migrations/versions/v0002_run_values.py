"""The latest metrics and the parameters of jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make a table for each; what jobs have logged before stays in their records and in MLflow."""
    for name, kind in (("job_metrics", sa.Double()), ("job_params", sa.Text())):
        op.create_table(
            name,
            sa.Column(
                "job_id",
                sa.String(13),
                sa.ForeignKey("jobs.id", name=f"fk_{name}_jobs", ondelete="CASCADE"),
                primary_key=True,
            ),
            sa.Column("key", sa.String(255), primary_key=True),
            sa.Column("value", kind),
        )
        op.create_index(f"ix_{name}_key", name, ["key", "value", "job_id"])
