"""Lists walk indexes: what SQLite says of the very statements that a page executes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.store import jobs, run_values, sqlite
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout

from .conftest import MakeJob

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
def test_metrics_and_jobs_are_joined_in_the_order_of_ids(
    filled: Database, filters: dict[str, Any], sort: JobSort
) -> None:
    if sort is JobSort.METRIC and not filters:
        pytest.skip("a walk along one index, above")
    for found, *others in first_and_next(filled, **filters, sort=sort, metric="score"):
        assert any(
            "job_metrics USING COVERING INDEX ix_job_metrics_of_jobs (key=?)" in step for step in found
        )
        for steps in (found, *others):
            assert not [step for step in steps if _reads_a_table(step)]
        # The matches are found once, and counted and ordered from there.
        assert any("MATERIALIZE" in step for step in found) is bool(filters)
        assert len(others) == (1 if filters else 2)


def test_a_database_of_the_revision_before_gets_the_index(layout: Layout) -> None:
    engine = sqlite.create_engine(layout.database)
    with engine.connect().execution_options(**sqlite.DURABLE_WRITE) as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", "jupyter_mlws.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    engine.dispose()
    assert "ix_job_metrics_of_jobs" not in _indexes(layout)
    Database.open(layout).close()
    assert "ix_job_metrics_of_jobs" in _indexes(layout)


def _reads_a_table(step: str) -> bool:
    """Whether a step goes through all rows of a table of ours, rather than along an index of it."""
    # The list of the deleted ones is in an index of those alone; `matches` is the list itself.
    return (
        step.startswith("SCAN")
        and "COVERING INDEX" not in step
        and not step.endswith(("matches", "ix_jobs_unsettled"))
    )


def _indexes(layout: Layout) -> set[str]:
    with sqlite3.connect(layout.database) as connection:
        found = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        }
    connection.close()
    return found
