"""Pages of jobs by keyset: the cursor holds the last row's sort key, so rows that are added shift nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jupyter_mlws.model.job import Job, JobPage
from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.store import cursor
from jupyter_mlws.store.job_rows import LONGEST_FOLDED, fold, row_to_job, select_jobs
from jupyter_mlws.store.tables import deleted, job_metrics, jobs
from jupyter_mlws.store.transaction import Transaction

_NUMBER = job_metrics.c.value
_KEYS: dict[JobSort, tuple[sa.ColumnElement[Any], type[cursor.Key]]] = {
    JobSort.CREATED: (sa.type_coerce(jobs.c.created_at, sa.BigInteger), int),
    JobSort.ENDED: (jobs.c.ended_key, int),
    JobSort.NAME: (jobs.c.name_folded, str),
    JobSort.SECONDS: (jobs.c.seconds, float),
    JobSort.METRIC: (_NUMBER, float),
}


def page(tx: Transaction, query: JobQuery) -> JobPage:
    """Return the jobs that match, with the cursor of the following page and the number of all matches.

    Those that a user has deleted are not among them, though they may still be ending.
    No job is missed or given twice while jobs are added. Sorted by something that changes (name,
    seconds, end), a job that changes between two pages may move past the cursor. Jobs that compare
    equal follow each other by id. Raises `CursorInvalid`.
    """
    matching, source = _matching(query), _source(query)
    key, key_type = _KEYS[query.sort]
    after = [] if query.cursor is None else [_beyond(query, key, key_type)]
    order = (key.desc(), jobs.c.id.desc()) if query.descending else (key, jobs.c.id)
    # Ids and keys alone first: they are all in the index, so that rows which do not match are never fetched.
    found = tx.connection.execute(
        sa.select(jobs.c.id, key.label("key"))
        .select_from(source)
        .where(*matching, *after)
        .order_by(*order)
        .limit(query.limit + 1)
    ).all()
    given = found[: query.limit]
    following = None
    if len(found) > len(given):
        following = cursor.encode([_order(query), query.descending, given[-1].key, given[-1].id])
    whole = query.cursor is None and following is None
    total = len(given) if whole else _count(tx, source, matching)
    return JobPage(jobs=_fetch(tx, [row.id for row in given]), next=following, total=total)


def _beyond(
    query: JobQuery, key: sa.ColumnElement[Any], key_type: type[cursor.Key]
) -> sa.ColumnElement[bool]:
    text = query.cursor or ""
    sort, descending, last_key, last_id = cursor.decode(text, types=(str, bool, key_type, str))
    if (sort, descending) != (_order(query), query.descending):
        raise cursor.refused(text)
    row, last = sa.tuple_(key, jobs.c.id), sa.tuple_(sa.literal(last_key), sa.literal(last_id))
    return row < last if query.descending else row > last


def _order(query: JobQuery) -> str:
    return f"metric:{query.metric}" if query.sort is JobSort.METRIC else query.sort.value


def _source(query: JobQuery) -> sa.FromClause:
    if query.metric is None:
        return jobs
    has = sa.and_(job_metrics.c.job_id == jobs.c.id, job_metrics.c.key == query.metric)
    return jobs.join(job_metrics, has)


def _matching(query: JobQuery) -> list[sa.ColumnElement[bool]]:
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
    if query.sort is JobSort.METRIC:
        conditions.append(_NUMBER.is_not(None))
    part = fold(query.q or "")
    if part:
        conditions.append(jobs.c.name_folded.contains(part, autoescape=True))
    # Databases end a pattern at NUL or refuse it, and refuse very long ones; no name has or is either.
    if len(part) > LONGEST_FOLDED or any(
        "\0" in wanted for wanted in (part, query.metric or "", *(text or "" for _, text in texts))
    ):
        return [sa.false()]
    return [*conditions, jobs.c.id.not_in(deleted())]


def _count(tx: Transaction, source: sa.FromClause, matching: list[sa.ColumnElement[bool]]) -> int:
    return tx.connection.execute(sa.select(sa.func.count()).select_from(source).where(*matching)).scalar_one()


def _fetch(tx: Transaction, ids: list[str]) -> list[Job]:
    rows = tx.connection.execute(select_jobs().where(jobs.c.id.in_(ids)))
    found = {row.id: row_to_job(row) for row in rows}
    return [found[id] for id in ids]
