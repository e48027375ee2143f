"""An index for lists that ask for a metric and for something of the job."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_job_metrics_of_jobs", "job_metrics", ["key", "job_id", "value"])
