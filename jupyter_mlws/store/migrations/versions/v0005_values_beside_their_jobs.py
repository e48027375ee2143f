"""Metrics and parameters lie in the order of their jobs, so that one look finds whether a job has one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make both tables anew where a primary key is apart from its table, and drop what this replaces."""
    op.drop_index("ix_job_metrics_of_jobs", "job_metrics")
    if op.get_context().dialect.name != "sqlite":
        return
    for name, kind in (("job_metrics", sa.Double()), ("job_params", sa.Text())):
        op.drop_index(f"ix_{name}_key", name)
        op.rename_table(name, f"{name}_before")
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
            sqlite_with_rowid=False,
        )
        before, after = (
            sa.table(each, *map(sa.column, ("job_id", "key", "value"))) for each in (f"{name}_before", name)
        )
        rows = sa.select(before).order_by(before.c.job_id, before.c.key)
        op.execute(after.insert().from_select(["job_id", "key", "value"], rows))
        op.drop_table(f"{name}_before")
        op.create_index(f"ix_{name}_key", name, ["key", "value", "job_id"])
