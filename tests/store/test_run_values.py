"""The mirror of metrics and parameters, and the lists and comparisons that it answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from jupyter_mlws.jobs.comparison import comparison
from jupyter_mlws.jobs.latest_values import LatestValues
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.model.status import Wanted
from jupyter_mlws.store import cursor, job_page, run_values
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.run_values import RunValues
from tests.jobs.making import make_job


def put(db: Database, scores: list[float | None]) -> list[Job]:
    """Jobs with these scores, oldest first, and one without."""
    jobs = [make_job(minute=minute) for minute in range(len(scores) + 1)]
    with db.write() as tx:
        for job in jobs:
            rows.insert(tx, job)
        for job, score in zip(jobs, scores, strict=False):
            run_values.save(tx, job.id, metrics={"score": score, "other": 1.0}, params={"depth": "6"})
    return jobs


def test_what_was_saved_is_replaced_as_a_whole(db: Database) -> None:
    (job, _) = put(db, [1.0])
    with db.write() as tx:
        run_values.save(tx, job.id, metrics={"score": 2.0, "nan": None}, params={})
    with db.read() as tx:
        assert run_values.read(tx, [job.id]) == {job.id: RunValues({"nan": None, "score": 2.0}, {})}
    with db.write() as tx:
        rows.delete(tx, job.id)
    with db.read() as tx:
        assert run_values.read(tx, [job.id]) == {}


@pytest.mark.parametrize("descending", [True, False])
def test_jobs_are_listed_by_a_metric_page_by_page(db: Database, descending: bool) -> None:
    jobs = put(db, [0.5, 0.9, None, 0.5, -1e308, 0.1])
    query = JobQuery(sort=JobSort.METRIC, metric="score", descending=descending, limit=2)
    seen: list[str] = []
    while True:
        with db.read() as tx:
            page = rows.page(tx, query)
        assert page.total == 5
        seen += [job.id for job in page.jobs]
        if page.next is None:
            break
        query = query.model_copy(update={"cursor": page.next})
    scored = [(0.5, jobs[0]), (0.9, jobs[1]), (0.5, jobs[3]), (-1e308, jobs[4]), (0.1, jobs[5])]
    expected = sorted(((score, job.id) for score, job in scored), reverse=descending)
    assert seen == [id for _, id in expected]


def test_jobs_that_have_a_metric_in_another_order(db: Database) -> None:
    jobs = put(db, [0.5, None])
    with db.read() as tx:
        page = rows.page(tx, JobQuery(metric="score"))
        nothing = rows.page(tx, JobQuery(metric="no such\0metric"))
    assert [job.id for job in page.jobs] == [jobs[1].id, jobs[0].id]
    assert (nothing.jobs, nothing.total) == ([], 0)


@pytest.fixture(params=["few have it", "many have it", "many have it, and few of them match"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are found in another way the longer they are: short ones here stand for all."""
    if request.param != "few have it":
        monkeypatch.setattr(job_page, "_FEW", 1)
    if request.param == "many have it, and few of them match":
        monkeypatch.setattr(job_page, "_NEAR", 1)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("sort", JobSort)
@pytest.mark.parametrize("filters", [{}, {"experiment": "Default"}, {"q": "nothing"}])
def test_pages_of_jobs_with_a_metric_say_how_many_there_are(
    db: Database, sort: JobSort, filters: dict[str, Any]
) -> None:
    jobs = put(db, [0.5, 0.9, None, 0.1, 0.7])
    with db.write() as tx:
        rows.save(tx, jobs[1].model_copy(update={"wanted": Wanted.DELETE}))
    expected = {jobs[0].id, jobs[3].id, jobs[4].id} | ({jobs[2].id} if sort is not JobSort.METRIC else set())
    if filters == {"q": "nothing"}:
        expected = set()
    query = JobQuery(sort=sort, metric="score", limit=2, **filters)
    seen: list[str] = []
    while True:
        with db.read() as tx:
            page = rows.page(tx, query)
        assert page.total == len(expected)
        seen += [job.id for job in page.jobs]
        if page.next is None:
            break
        query = query.model_copy(update={"cursor": page.next})
    assert (set(seen), len(seen)) == (expected, len(expected))


@pytest.mark.usefixtures("each_way")
def test_a_page_behind_the_last_says_how_many_there_are(db: Database) -> None:
    jobs = put(db, [0.5, 0.9, 0.7])
    query = JobQuery(sort=JobSort.METRIC, metric="score", experiment="Default", limit=2)
    with db.read() as tx:
        following = rows.page(tx, query).next
    with db.write() as tx:
        rows.delete(tx, jobs[0].id)
    with db.read() as tx:
        page = rows.page(tx, query.model_copy(update={"cursor": following}))
    assert (page.jobs, page.next, page.total) == ([], None, 2)


def test_the_cursor_of_another_metric_is_refused(db: Database) -> None:
    put(db, [0.5, 0.6])
    query = JobQuery(sort=JobSort.METRIC, metric="score", limit=1)
    with db.read() as tx:
        following = rows.page(tx, query).next
        with pytest.raises(cursor.CursorInvalid):
            rows.page(tx, query.model_copy(update={"metric": "other", "cursor": following}))


def test_an_order_by_no_metric_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs the name of a metric"):
        JobQuery(sort=JobSort.METRIC)


def test_jobs_side_by_side() -> None:
    first, second = make_job(), make_job()
    values = {first.id: RunValues({"b": 1.0, "a": None}, {"p": "1"})}
    found = comparison([second, first], values)
    assert [each.id for each in found.jobs] == [second.id, first.id]
    assert (found.metrics, found.params) == (["a", "b"], ["p"])
    assert found.jobs[0].metrics == {}


def line(run: str, **fields: Any) -> bytes:
    import json

    return json.dumps({"run": run, **fields}, separators=(",", ":")).encode()


def metric(key: str, value: Any, step: int, at: int = 1) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": at, "step": step}


def test_the_latest_value_of_the_largest_step_counts() -> None:
    values = LatestValues("r")
    lines = [
        line("r", metrics=[metric("m", 1, step=5), metric("nan", "NaN", step=0)]),
        line("r", metrics=[metric("m", 2, step=4, at=9)]),
        line("r", metrics=[metric("n", 1, step=0, at=2), metric("n", 2, step=0, at=2)]),
        line("other", metrics=[metric("m", 3, step=9)]),
        line("r", params=[{"key": "p", "value": "1"}]),
        b'{"run":"r","metrics":"broken"}',
    ]
    assert values.take(lines, offset=100)
    assert values.metrics == {"m": 1.0, "nan": None, "n": 2.0}
    assert (values.params, values.offset) == ({"p": "1"}, 100)
    assert not values.take([line("other", params=[])], offset=200)
