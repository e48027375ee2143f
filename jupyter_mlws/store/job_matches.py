"""Which jobs a query asks for, as statements that walk along indexes: their ids, each with its sort key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.model.status import Wanted
from jupyter_mlws.store import cursor
from jupyter_mlws.store.job_rows import LONGEST_FOLDED, fold
from jupyter_mlws.store.tables import deleted, job_metrics, jobs

_KEYS: dict[JobSort, tuple[sa.ColumnElement[Any], type[cursor.Key]]] = {
    JobSort.CREATED: (sa.type_coerce(jobs.c.created_at, sa.BigInteger), int),
    JobSort.ENDED: (jobs.c.ended_key, int),
    JobSort.NAME: (jobs.c.name_folded, str),
    JobSort.SECONDS: (jobs.c.seconds, float),
    JobSort.METRIC: (job_metrics.c.value, float),
}


def key_type(query: JobQuery) -> type[cursor.Key]:
    """Return the type of the values that the list is sorted by."""
    return _KEYS[query.sort][1]


def by_job(query: JobQuery) -> sa.CTE:
    """Select the matches of a query without a metric.

    Ids and keys alone: with the filters they are all in an index, and no row is fetched that is not shown.
    """
    key = _KEYS[query.sort][0].label("key")
    return sa.select(jobs.c.id, key).where(*filters(query), jobs.c.id.not_in(deleted())).cte("matches")


def by_metric(query: JobQuery) -> sa.CTE:
    """Select the matches of a query that is sorted by a metric, and asks for nothing of the job."""
    id, value = job_metrics.c.job_id, job_metrics.c.value
    there = id.not_in(deleted())
    return (
        sa.select(id.label("id"), value.label("key"))
        .where(_has(query), value.is_not(None), there)
        .cte("matches")
    )


def from_metrics(query: JobQuery) -> sa.CTE:
    """Select the matches of a query for a metric and something of the job: a look for each that has it."""
    key = _KEYS[query.sort][0].label("key")
    both = sa.select(jobs.c.id, key).join_from(jobs, job_metrics, job_metrics.c.job_id == jobs.c.id)
    both = both.where(_has(query), *filters(query), jobs.c.wanted != Wanted.DELETE.value)
    if query.sort is JobSort.METRIC:
        both = both.where(job_metrics.c.value.is_not(None))
    return both.cte("matches")


def from_jobs(query: JobQuery) -> sa.CTE:
    """Select the same: a look for each job that the filters let through."""
    key, has = _KEYS[query.sort][0], sa.exists().where(_of_the_job(query))
    if query.sort is JobSort.METRIC:
        key = sa.select(job_metrics.c.value).where(_of_the_job(query)).scalar_subquery()
        has = has.where(job_metrics.c.value.is_not(None))
    selected = sa.select(jobs.c.id, key.label("key"))
    return selected.where(*filters(query), jobs.c.id.not_in(deleted()), has).cte("matches")


def count(query: JobQuery) -> sa.Select[int]:
    """Count all that match, in the order of the rows, with a look for each."""
    conditions = filters(query)
    if query.metric is not None and not conditions:
        return count_of(having(query))
    if query.metric is None:
        return count_of(sa.select(by_job(query).c.id))
    counted = job_metrics.c.value if query.sort is JobSort.METRIC else job_metrics.c.job_id
    both = sa.select(sa.func.count(counted)).select_from(jobs.outerjoin(job_metrics, _of_the_job(query)))
    return both.where(*conditions, jobs.c.wanted != Wanted.DELETE.value)


def having(query: JobQuery) -> sa.Select[Any]:
    """Select the ids of the jobs that have the metric, with a number where the list is sorted by it."""
    id = job_metrics.c.job_id
    number = [job_metrics.c.value.is_not(None)] if query.sort is JobSort.METRIC else []
    return sa.select(id).where(_has(query), *number, id.not_in(deleted()))


def count_of(rows: sa.Select[Any]) -> sa.Select[int]:
    """Count rows."""
    return sa.select(sa.func.count()).select_from(rows.subquery())


def of_these(query: JobQuery, metrics: sa.CTE) -> sa.CTE:
    """Select the same among the rows `metrics` of some jobs' metrics, `id` and `key`."""
    both = sa.select(metrics.c.id, metrics.c.key).join_from(metrics, jobs, jobs.c.id == metrics.c.id)
    return both.where(*filters(query), jobs.c.wanted != Wanted.DELETE.value).cte("both")


def _has(query: JobQuery) -> sa.ColumnElement[bool]:
    return job_metrics.c.key == query.metric


def _of_the_job(query: JobQuery) -> sa.ColumnElement[bool]:
    return sa.and_(_has(query), job_metrics.c.job_id == jobs.c.id)


def filters(query: JobQuery) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on rows of jobs."""
    conditions: list[sa.ColumnElement[bool]] = []
    if query.status:
        conditions.append(jobs.c.status.in_([status.value for status in query.status]))
    if query.kind is not None:
        conditions.append(jobs.c.kind == query.kind.value)
    texts = (
        (jobs.c.experiment, query.experiment),
        (jobs.c.compute, query.compute),
        (jobs.c.created_by, query.created_by),
        (jobs.c.name, query.name),
    )
    conditions += [column == wanted for column, wanted in texts if wanted is not None]
    part = fold(query.q or "")
    if part:
        conditions.append(jobs.c.name_folded.contains(part, autoescape=True))
    # Databases end a pattern at NUL or refuse it, and refuse very long ones; no name has or is either.
    if len(part) > LONGEST_FOLDED or any(
        "\0" in wanted for wanted in (part, query.metric or "", *(text or "" for _, text in texts))
    ):
        return [sa.false()]
    return conditions
