"""The tables as they are after the newest migration; `migrations/` makes them so, and a test compares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NEVER = 2**63 - 1
"""Stands for the end of a job that has not ended: it sorts after every moment in every database."""


def to_microseconds(moment: datetime) -> int:
    """Return a moment as microseconds since 1970, exactly."""
    return (moment - _START) // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """Return the moment, in UTC."""
    return _START + timedelta(microseconds=number)


class UtcMoment(sa.types.TypeDecorator[datetime]):
    """A moment as microseconds since 1970: exact, in UTC, and in the same order in every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Write."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Read."""
        return None if value is None else from_microseconds(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)
# SQLite counts up without gaps being filled only for a column of exactly the type INTEGER.
_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Of each job: a narrow row with copies of what is filtered, sorted and counted, so that a walk over all jobs
# is short; the record, whole, as JSON, so that a field may be added without touching the tables; and the
# spec apart from it, so that a change of status does not rewrite a long source text.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(13), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("wanted", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    # Without case, for search and order: databases know case of ASCII alone (SQLite) or by a locale.
    sa.Column("name_folded", sa.String(1024), nullable=False),
    sa.Column("experiment", sa.String(255), nullable=False),
    sa.Column("compute", sa.String(255), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    # 0 starts first.
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    # The end, or NEVER: databases disagree on where NULL sorts, and it cannot be compared with.
    sa.Column("ended_key", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
)

job_records = sa.Table(
    "job_records",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    # The record `Job` without its spec.
    sa.Column("record", sa.JSON, nullable=False),
)

job_specs = sa.Table(
    "job_specs",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("spec", sa.JSON, nullable=False),
)

# One index for each order, which also holds all that can be filtered on: a page is then found by one walk
# along one index, whatever the filter, and never by sorting. A narrow index on one filter would tempt the
# planner to fetch and sort every row that matches.
_FILTERED = ("status", "kind", "experiment", "compute", "created_by", "name_folded", "name")
for _key in ("created_at", "ended_key", "name_folded", "seconds"):
    sa.Index(
        f"ix_jobs_by_{_key}",
        *(jobs.c[column] for column in dict.fromkeys((_key, "id", *_FILTERED))),
    )

UNFINISHED = sa.text("status IN ('Queued', 'Preparing', 'Running', 'Finalizing')")
"""The condition of the index below, word for word: a planner uses it for queries that repeat it."""
sa.Index(
    "ix_jobs_unfinished",
    jobs.c.status,
    jobs.c.priority,
    jobs.c.created_at,
    jobs.c.id,
    sqlite_where=UNFINISHED,
    postgresql_where=UNFINISHED,
)

UNSETTLED = sa.text(
    "wanted IN ('cancel', 'delete') AND "
    "(status NOT IN ('Completed', 'Failed', 'Canceled') OR wanted = 'delete')"
)
"""The condition of the index below: the user's wish is not fulfilled yet."""
sa.Index("ix_jobs_unsettled", jobs.c.id, jobs.c.wanted, sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)


def deleted() -> sa.Select[tuple[str]]:
    """Select the ids of the jobs that a user has deleted and that are still there for the leader."""
    # They are few, and all in the index of wishes: asked of each row, the wish would have to be fetched.
    others = jobs.alias("others")
    return sa.select(others.c.id).where(UNSETTLED, others.c.wanted == "delete")


attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
)

# What a job's run has: the latest value of each metric (NULL for NaN), and the parameters. In the order of
# jobs: lists that ask for a metric and for something of the job look for the one beside the other.
job_metrics = sa.Table(
    "job_metrics",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("value", sa.Double),
    sqlite_with_rowid=False,
)
job_params = sa.Table(
    "job_params",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("value", sa.Text),
    sqlite_with_rowid=False,
)
for _table in (job_metrics, job_params):
    sa.Index(f"ix_{_table.name}_key", _table.c.key, _table.c.value, _table.c.job_id)

# The computes that users made; `local` has no row.
computes = sa.Table(
    "computes",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    # The record `ComputeSpec`.
    sa.Column("spec", sa.JSON, nullable=False),
    # Id of its token; the token itself is in no database.
    sa.Column("token", sa.String(13)),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", UtcMoment, nullable=False),
    # The record `ComputeCheck` of the last look, and when that was.
    sa.Column("checked", sa.JSON(none_as_null=True)),
    sa.Column("checked_at", UtcMoment),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("noun", sa.String(32), nullable=False),
    sa.Column("id", sa.String(255), nullable=False),
    sa.Column("status", sa.String(32)),
    sa.Column("log_offset", sa.BigInteger),
    sa.Column("at", UtcMoment, nullable=False),
    sqlite_autoincrement=True,
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("sequence", _SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("at", UtcMoment, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("noun", sa.String(32), nullable=False),
    sa.Column("id", sa.String(255), nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("ix_audit_of_id", audit.c.id, audit.c.noun, audit.c.sequence)
sa.Index("ix_audit_of_noun", audit.c.noun, audit.c.sequence)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    # None after a release.
    sa.Column("renewed_at", UtcMoment),
    sa.Column("ttl", sa.Double, nullable=False),
)
