"""Jobs, attempts, outbox, audit log and lease."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the first tables."""
    _make_jobs()
    _make_attempts()
    _make_logs()
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("renewed_at", sa.BigInteger),
        sa.Column("ttl", sa.Double, nullable=False),
    )


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(13), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("wanted", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("name_folded", sa.String(1024), nullable=False),
        sa.Column("experiment", sa.String(255), nullable=False),
        sa.Column("compute", sa.String(255), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_key", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
    )
    filtered = ("status", "kind", "experiment", "compute", "created_by", "name_folded", "name")
    for key in ("created_at", "ended_key", "name_folded", "seconds"):
        op.create_index(f"ix_jobs_by_{key}", "jobs", list(dict.fromkeys((key, "id", *filtered))))
    unfinished = sa.text("status IN ('Queued', 'Preparing', 'Running', 'Finalizing')")
    op.create_index(
        "ix_jobs_unfinished",
        "jobs",
        ["status", "priority", "created_at", "id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    unsettled = sa.text(
        "wanted IN ('cancel', 'delete') AND "
        "(status NOT IN ('Completed', 'Failed', 'Canceled') OR wanted = 'delete')"
    )
    op.create_index(
        "ix_jobs_unsettled",
        "jobs",
        ["id", "wanted"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
    for part in ("record", "spec"):
        op.create_table(
            f"job_{part}s",
            sa.Column(
                "job_id",
                sa.String(13),
                sa.ForeignKey("jobs.id", name=f"fk_job_{part}s_jobs", ondelete="CASCADE"),
                primary_key=True,
            ),
            sa.Column(part, sa.JSON, nullable=False),
        )


def _make_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column(
            "job_id",
            sa.String(13),
            sa.ForeignKey("jobs.id", name="fk_attempts_jobs", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
    )


def _make_logs() -> None:
    sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outbox",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("noun", sa.String(32), nullable=False),
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("status", sa.String(32)),
        sa.Column("log_offset", sa.BigInteger),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sequence, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("noun", sa.String(32), nullable=False),
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_of_id", "audit", ["id", "noun", "sequence"])
    op.create_index("ix_audit_of_noun", "audit", ["noun", "sequence"])
