"""Pages of jobs by keyset: the cursor holds the last row's sort key, so rows that are added shift nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from jupyter_mlws.model.job import Job, JobPage
from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.store import cursor, job_matches
from jupyter_mlws.store.job_matches import count_of
from jupyter_mlws.store.job_rows import row_to_job, select_jobs
from jupyter_mlws.store.tables import jobs
from jupyter_mlws.store.transaction import Transaction

_FEW = 10_000
"""Jobs with a metric that are looked through one by one."""
_NEAR = 500
"""Values of a metric, in their order, that are looked through for a page before all matches are listed."""

Rows = Sequence[sa.Row[Any]]
"""Id and key of the jobs of a page, and of one more."""


def page(tx: Transaction, query: JobQuery) -> JobPage:
    """Return the jobs that match, with the cursor of the following page and the number of all matches.

    Those that a user has deleted are not among them, though they may still be ending.
    No job is missed or given twice while jobs are added. Sorted by something that changes (name,
    seconds, end), a job that changes between two pages may move past the cursor. Jobs that compare
    equal follow each other by id. Raises `CursorInvalid`.
    """
    found, total = _found(tx, query)
    given = found[: query.limit]
    following = None
    if len(found) > len(given):
        following = cursor.encode([_order(query), query.descending, given[-1].key, given[-1].id])
    return JobPage(jobs=_fetch(tx, [row.id for row in given]), next=following, total=total)


def _found(tx: Transaction, query: JobQuery) -> tuple[Rows, int]:
    """Return the rows of the page, and how many jobs match."""
    matches, found = _walked(tx, query)
    if found is None:
        return _listed(tx, query, matches)
    if query.cursor is None and len(found) <= query.limit:
        return found, len(found)
    return found, _number(tx, job_matches.count(query))


def _walked(tx: Transaction, query: JobQuery) -> tuple[sa.CTE, Rows | None]:
    """Return the matches, and the page where a walk along the index of the list's order finds it."""
    filtered = bool(job_matches.filters(query))
    if query.metric is None:
        matches = job_matches.by_job(query)
    elif query.sort is JobSort.METRIC and not filtered:
        matches = job_matches.by_metric(query)
    # The looks from one table into the other are what such a list costs: from the side that needs fewer.
    elif _number(tx, count_of(job_matches.having(query).limit(_FEW))) < _FEW:
        return job_matches.from_metrics(query), None
    else:
        matches = job_matches.from_jobs(query)
        if query.sort is JobSort.METRIC:
            return matches, _near(tx, query)
    return matches, tx.connection.execute(_page(query, matches)).all()


def _listed(tx: Transaction, query: JobQuery, matches: sa.CTE) -> tuple[Rows, int]:
    # A list that one statement reads twice is made once, and kept meanwhile.
    number = sa.select(sa.func.count()).select_from(matches).scalar_subquery()
    found = tx.connection.execute(_page(query, matches).add_columns(number.label("total"))).all()
    if found:
        return found, found[0].total
    return found, 0 if query.cursor is None else _number(tx, count_of(sa.select(matches.c.id)))


def _near(tx: Transaction, query: JobQuery) -> Rows | None:
    """Return the page of a list that is sorted by a metric if its jobs have some of the next values.

    None where they have not. A list of all that match would be as long as the table where much does, and it
    is then that they have.
    """
    values = job_matches.by_metric(query)
    limit = max(_NEAR, 4 * (query.limit + 1))
    near = _onwards(query, values, limit=limit).cte("near")
    found = tx.connection.execute(_page(query, job_matches.of_these(query, near))).all()
    if len(found) <= query.limit and _number(tx, count_of(sa.select(near.c.id))) == limit:
        return None
    return found


def _page(query: JobQuery, matches: sa.CTE) -> sa.Select[Any]:
    """Select id and key of the page's jobs, and of one more."""
    return _onwards(query, matches, limit=query.limit + 1)


def _onwards(query: JobQuery, matches: sa.CTE, *, limit: int) -> sa.Select[Any]:
    """Select the next `limit` of the matches, in their order."""
    key, id = matches.c.key, matches.c.id
    selected = sa.select(id, key).limit(limit)
    if query.cursor is not None:
        row, last = sa.tuple_(key, id), sa.tuple_(*(sa.literal(each) for each in _last(query)))
        selected = selected.where(row < last if query.descending else row > last)
    return selected.order_by(*((key.desc(), id.desc()) if query.descending else (key, id)))


def _last(query: JobQuery) -> tuple[cursor.Key, str]:
    """Return key and id of the job that the page follows. Raises `CursorInvalid`."""
    text = query.cursor or ""
    types = (str, bool, job_matches.key_type(query), str)
    sort, descending, key, id = cursor.decode(text, types=types)
    if (sort, descending) != (_order(query), query.descending):
        raise cursor.refused(text)
    return key, str(id)


def _order(query: JobQuery) -> str:
    return f"metric:{query.metric}" if query.sort is JobSort.METRIC else query.sort.value


def _number(tx: Transaction, counting: sa.Select[int]) -> int:
    return tx.connection.execute(counting).scalar_one()


def _fetch(tx: Transaction, ids: list[str]) -> list[Job]:
    rows = tx.connection.execute(select_jobs().where(jobs.c.id.in_(ids)))
    found = {row.id: row_to_job(row) for row in rows}
    return [found[id] for id in ids]
