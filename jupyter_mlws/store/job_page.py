"""Pages of jobs by keyset: the cursor holds the last row's sort key, so rows that are added shift nothing."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jupyter_mlws.model.job import Job, JobPage
from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.model.status import Wanted
from jupyter_mlws.store import cursor
from jupyter_mlws.store.job_rows import LONGEST_FOLDED, fold, row_to_job, select_jobs
from jupyter_mlws.store.tables import deleted, job_metrics, jobs
from jupyter_mlws.store.transaction import Transaction

_KEYS: dict[JobSort, tuple[sa.ColumnElement[Any], type[cursor.Key]]] = {
    JobSort.CREATED: (sa.type_coerce(jobs.c.created_at, sa.BigInteger), int),
    JobSort.ENDED: (jobs.c.ended_key, int),
    JobSort.NAME: (jobs.c.name_folded, str),
    JobSort.SECONDS: (jobs.c.seconds, float),
    JobSort.METRIC: (job_metrics.c.value, float),
}


def page(tx: Transaction, query: JobQuery) -> JobPage:
    """Return the jobs that match, with the cursor of the following page and the number of all matches.

    Those that a user has deleted are not among them, though they may still be ending.
    No job is missed or given twice while jobs are added. Sorted by something that changes (name,
    seconds, end), a job that changes between two pages may move past the cursor. Jobs that compare
    equal follow each other by id. Raises `CursorInvalid`.
    """
    matches, counted = _matches(query)
    asked = _page(query, matches)
    if counted is None:
        # A list that one statement reads twice is made once, and kept meanwhile.
        number = sa.select(sa.func.count()).select_from(matches)
        asked = asked.add_columns(number.scalar_subquery().label("total"))
    found = tx.connection.execute(asked).all()
    given = found[: query.limit]
    following = None
    if len(found) > len(given):
        following = cursor.encode([_order(query), query.descending, given[-1].key, given[-1].id])
    if query.cursor is None and following is None:
        total = len(given)
    elif counted is None and found:
        total = found[0].total
    else:
        counting = sa.select(sa.func.count()).select_from(matches if counted is None else counted)
        total = tx.connection.execute(counting).scalar_one()
    return JobPage(jobs=_fetch(tx, [row.id for row in given]), next=following, total=total)


def _page(query: JobQuery, matches: sa.CTE) -> sa.Select[Any]:
    """Select id and key of the page's jobs, and of one more."""
    key, id = matches.c.key, matches.c.id
    selected = sa.select(id, key).limit(query.limit + 1)
    if query.cursor is not None:
        row, last = sa.tuple_(key, id), sa.tuple_(*(sa.literal(each) for each in _last(query)))
        selected = selected.where(row < last if query.descending else row > last)
    return selected.order_by(*((key.desc(), id.desc()) if query.descending else (key, id)))


def _last(query: JobQuery) -> tuple[cursor.Key, str]:
    """Return key and id of the job that the page follows. Raises `CursorInvalid`."""
    text = query.cursor or ""
    sort, descending, key, id = cursor.decode(text, types=(str, bool, _KEYS[query.sort][1], str))
    if (sort, descending) != (_order(query), query.descending):
        raise cursor.refused(text)
    return key, str(id)


def _order(query: JobQuery) -> str:
    return f"metric:{query.metric}" if query.sort is JobSort.METRIC else query.sort.value


def _matches(query: JobQuery) -> tuple[sa.CTE, sa.CTE | None]:
    """Return id and key of all matches, and rows of the same number that are quickly counted.

    Without the latter the matches must be listed to be counted.
    """
    # Ids and keys alone: with the filters they are all in an index, and no row is fetched that is not shown.
    by_metric = query.sort is JobSort.METRIC
    key, filters = _KEYS[query.sort][0].label("key"), _filters(query)
    if query.metric is None:
        matches = sa.select(jobs.c.id, key).where(*filters, jobs.c.id.not_in(deleted())).cte("matches")
        return matches, matches
    id, value = job_metrics.c.job_id, job_metrics.c.value
    has = job_metrics.c.key == query.metric
    there = id.not_in(deleted())
    if by_metric and not filters:
        matches = sa.select(id.label("id"), key).where(has, value.is_not(None), there).cte("matches")
        return matches, matches
    # Here rows of jobs are fetched, but in the order of ids, in which they lie. In that of values each lies
    # far from the one before; the sum keeps databases from taking it.
    number = [(value + 0).is_not(None)] if by_metric else []
    both = sa.select(jobs.c.id, key).join_from(jobs, job_metrics, id == jobs.c.id)
    both = both.where(has, *number, *filters, jobs.c.wanted != Wanted.DELETE.value)
    return both.cte("matches"), None if filters else sa.select(id).where(has, there).cte("counted")


def _filters(query: JobQuery) -> list[sa.ColumnElement[bool]]:
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


def _fetch(tx: Transaction, ids: list[str]) -> list[Job]:
    rows = tx.connection.execute(select_jobs().where(jobs.c.id.in_(ids)))
    found = {row.id: row_to_job(row) for row in rows}
    return [found[id] for id in ids]
