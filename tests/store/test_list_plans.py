"""Lists walk indexes: what SQLite says of the very statements that a page executes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.store import job_page, jobs, run_values
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.run_values import RunValues

from .conftest import MakeJob, at_revision

FILTERS: list[dict[str, Any]] = [
    {},
    {"status": ["Queued"]},
    {"status": ["Queued", "Failed"]},
    {"experiment": "Default"},
    {"name": "job 1"},
    {"q": "JOB"},
    {"kind": "cell"},
    {"compute": "local"},
    {"created_by": "ada"},
    {"status": ["Queued"], "experiment": "Default", "q": "job", "kind": "cell", "created_by": "ada"},
]


@contextmanager
def executed(connection: sa.Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the block executes, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        statements.append((statement, parameters))

    sa.event.listen(connection, "before_cursor_execute", note)
    yield statements
    sa.event.remove(connection, "before_cursor_execute", note)


def plans(db: Database, query: JobQuery) -> list[list[str]]:
    """The steps of each statement of a page: of its ids, of the count if that is apart, of its rows."""
    with db.read() as tx:
        with executed(tx.connection) as statements:
            jobs.page(tx, query)
        return [
            [
                str(step[-1])
                for step in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]
            for statement, parameters in statements
        ]


@pytest.fixture
def filled(db: Database, make_job: MakeJob) -> Database:
    """A database with three jobs that have metrics."""
    with db.write() as tx:
        for number in range(3):
            job = make_job()
            jobs.insert(tx, job)
            run_values.save(tx, job.id, metrics={"score": float(number), "other": 1.0}, params={})
    return db


def first_and_next(db: Database, **question: Any) -> Iterator[list[list[str]]]:
    """The plans of the first page, and of the one that follows it."""
    query = JobQuery(**question, limit=1)
    with db.read() as tx:
        following = jobs.page(tx, query).next
    yield plans(db, query)
    if following is not None:
        yield plans(db, query.model_copy(update={"cursor": following}))


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("sort", [sort for sort in JobSort if sort is not JobSort.METRIC])
@pytest.mark.parametrize("descending", [True, False])
def test_lists_of_jobs_walk_the_index_of_their_order(
    filled: Database, filters: dict[str, Any], sort: JobSort, descending: bool
) -> None:
    key = {"created": "created_at", "ended": "ended_key", "name": "name_folded", "seconds": "seconds"}[sort]
    for found, *others in first_and_next(filled, **filters, sort=sort, descending=descending):
        assert f"COVERING INDEX ix_jobs_by_{key}" in found[0]
        # The count between the two may go through the table of jobs: its rows are as narrow as an index.
        for steps in (found, others[-1]):
            assert not [step for step in steps if "TEMP B-TREE" in step or _reads_a_table(step)]


@pytest.mark.parametrize("descending", [True, False])
def test_a_list_by_a_metric_walks_the_index_of_its_values(filled: Database, descending: bool) -> None:
    for found, *others in first_and_next(filled, metric="score", sort=JobSort.METRIC, descending=descending):
        assert "COVERING INDEX ix_job_metrics_key (key=?" in found[0]
        for steps in (found, *others):
            assert not [step for step in steps if "TEMP B-TREE" in step or _reads_a_table(step)]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("sort", JobSort)
def test_where_few_have_the_metric_their_jobs_are_looked_at(
    filled: Database, filters: dict[str, Any], sort: JobSort
) -> None:
    if sort is JobSort.METRIC and not filters:
        pytest.skip("a walk along one index, above")
    for number, found, *others in first_and_next(filled, **filters, sort=sort, metric="score"):
        assert any("job_metrics USING COVERING INDEX ix_job_metrics_key (key=?" in step for step in number)
        assert any("job_metrics USING COVERING INDEX ix_job_metrics_key (key=?" in step for step in found)
        for steps in (found, *others):
            assert not [step for step in steps if _reads_a_table(step)]
        # The matches are found once, and counted and ordered from there.
        assert any("MATERIALIZE" in step for step in found)
        assert len(others) == 1


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("sort", [sort for sort in JobSort if sort is not JobSort.METRIC])
def test_where_many_have_it_lists_of_jobs_walk_the_index_of_their_order(
    filled: Database, filters: dict[str, Any], sort: JobSort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_page, "_FEW", 1)
    key = {"created": "created_at", "ended": "ended_key", "name": "name_folded", "seconds": "seconds"}[sort]
    for _number, found, *others in first_and_next(filled, **filters, sort=sort, metric="score"):
        assert f"COVERING INDEX ix_jobs_by_{key}" in found[0]
        assert any("SEARCH job_metrics USING PRIMARY KEY (job_id=? AND key=?)" in step for step in found)
        for steps in (found, others[-1]):
            assert not [step for step in steps if "TEMP B-TREE" in step or _reads_a_table(step)]


@pytest.mark.parametrize("filters", FILTERS[1:], ids=str)
def test_where_many_have_it_a_list_by_it_walks_the_index_of_its_values(
    filled: Database, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_page, "_FEW", 1)
    for _number, found, *others in first_and_next(filled, **filters, sort=JobSort.METRIC, metric="score"):
        assert any("COVERING INDEX ix_job_metrics_key (key=?" in step for step in found)
        assert any("SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)" in step for step in found)
        assert not [step for steps in (found, others[-1]) for step in steps if _reads_a_table(step)]


def test_a_database_of_the_revision_before_keeps_its_values(layout: Layout, make_job: MakeJob) -> None:
    job, values = make_job(), RunValues({"b": 0.5, "a": None}, {"depth": "3"})
    with at_revision(layout, "0004") as tx:
        jobs.insert(tx, job)
        run_values.save(tx, job.id, metrics=values.metrics, params=values.params)
    assert "ix_job_metrics_of_jobs" in _indexes(layout)
    db = Database.open(layout)
    assert "ix_job_metrics_of_jobs" not in _indexes(layout)
    with db.read() as tx:
        assert run_values.read(tx, [job.id]) == {job.id: values}
    with db.write() as tx:  # and they go with their job
        jobs.delete(tx, job.id)
    with db.read() as tx:
        assert run_values.read(tx, [job.id]) == {}
    db.close()


def _reads_a_table(step: str) -> bool:
    """Whether a step goes through all rows of a table of ours, rather than along an index of it."""
    # The list of the deleted ones is in an index of those alone; the others are lists
    # that the statement itself makes.
    return (
        step.startswith("SCAN")
        and "COVERING INDEX" not in step
        and not step.endswith(("matches", "near", "both", "ix_jobs_unsettled"))
    )


def _indexes(layout: Layout) -> set[str]:
    with sqlite3.connect(layout.database) as connection:
        found = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        }
    connection.close()
    return found
