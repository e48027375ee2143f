from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from jupyter_mlws.model.job import JobKind
from jupyter_mlws.model.job_query import JobQuery, JobSort
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import cursor, jobs
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout

from .conftest import START

OF_ALL = [sort for sort in JobSort if sort is not JobSort.METRIC]
"""Orders that every job has a place in; that by a metric is in test_run_values.py."""

NASTY = [
    'it\'s "quoted"',
    "'; DROP TABLE jobs; --",
    "100%_done/\\",
    "../../etc/passwd",
    "naïve Straße ТЕСТ 訓練 \U0001f600",
    "a" * 255,
]
thorough = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def all_pages(db, **question):
    """Every job that following the cursors gives, and the totals that the pages told."""
    found, totals, at = [], [], None
    while True:
        with db.read() as tx:
            page = jobs.page(tx, JobQuery(cursor=at, **question))
        found += page.jobs
        totals.append(page.total)
        if page.next is None:
            return found, totals
        assert len(page.jobs) == question.get("limit", 50)
        at = page.next


@pytest.fixture
def copies(layout):
    """`copies()`: a new database with empty tables, without the price of the migrations."""
    Database.open(layout).close()
    made = []

    def copy():
        folder = Path(tempfile.mkdtemp(dir=layout.root.parent))
        shutil.copy(layout.description, folder)
        shutil.copy(layout.database, folder)
        made.append(Database.open(Layout(folder)))
        return made[-1]

    yield copy
    for database in made:
        database.close()


job_facts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(JobStatus),
        # Few values, so that many jobs compare equal and the id decides.
        "created": st.integers(0, 3),
        "ended": st.none() | st.integers(0, 3),
        "seconds": st.sampled_from([0.0, 0.1, 0.1 + 0.2, 0.3, 1e300]),
        "name": st.sampled_from(["a", "A", "b", "é", "Z", *NASTY]),
        "experiment": st.sampled_from(["Default", "x'y"]),
        "kind": st.sampled_from([JobKind.CELL, JobKind.SCRIPT]),
        "created_by": st.sampled_from(["ada", "«bob»"]),
    }
)
questions = st.fixed_dictionaries(
    {"sort": st.sampled_from(OF_ALL), "descending": st.booleans(), "limit": st.integers(1, 7)},
    optional={
        "status": st.lists(st.sampled_from(JobStatus), max_size=3),
        "experiment": st.sampled_from(["Default", "x'y", "none"]),
        "kind": st.sampled_from([JobKind.CELL, JobKind.SCRIPT]),
        "created_by": st.sampled_from(["ada", "«bob»"]),
        "name": st.sampled_from(["a", "b", *NASTY]),
        "q": st.sampled_from(["a", "%", "_", "/", "\\", "'", "É", "STRASSE", "тест", ".."]),
    },
)


def build(make_job, facts):
    return make_job(
        spec={
            "name": facts["name"],
            "experiment": facts["experiment"],
            "kind": facts["kind"],
            "path": "a.py",
            "folder": "/x",
        },
        status=facts["status"],
        created_by=facts["created_by"],
        created_at=START + timedelta(seconds=facts["created"]),
        ended_at=None if facts["ended"] is None else START + timedelta(seconds=facts["ended"]),
        seconds=facts["seconds"],
    )


def matches(job, question):
    name = job.spec.name
    return (
        (not question.get("status") or job.status in question["status"])
        and question.get("experiment") in (None, job.spec.experiment)
        and question.get("kind") in (None, job.spec.kind)
        and question.get("created_by") in (None, job.created_by)
        and question.get("name") in (None, name)
        and question.get("q", "").casefold() in name.casefold()
    )


def rank(job, sort):
    return {
        "created": job.created_at,
        "ended": (job.ended_at is None, job.ended_at or START),
        "name": job.spec.name.casefold(),
        "seconds": job.seconds,
    }[sort], job.id


@thorough
@given(st.lists(job_facts, max_size=25), questions)
def test_pages_are_what_filtering_and_sorting_in_memory_gives(copies, make_job, facts, question):
    db = copies()
    made = [build(make_job, fact) for fact in facts]
    with db.write() as tx:
        for job in made:
            jobs.insert(tx, job)
    expected = sorted(
        (job for job in made if matches(job, question)),
        key=lambda job: rank(job, question["sort"]),
        reverse=question["descending"],
    )
    found, totals = all_pages(db, **question)
    assert [job.id for job in found] == [job.id for job in expected]
    assert set(totals) == {len(expected)}
    db.close()


@thorough
@given(st.lists(job_facts, min_size=2, max_size=12), st.lists(job_facts, min_size=1, max_size=12), questions)
def test_jobs_that_come_while_pages_are_read_shift_nothing(copies, make_job, before, during, question):
    db = copies()
    old = [build(make_job, fact) for fact in before]
    coming = [build(make_job, fact) for fact in during]
    with db.write() as tx:
        for job in old:
            jobs.insert(tx, job)
    question |= {"limit": 1}
    seen, at = [], None
    while True:
        with db.read() as tx:
            page = jobs.page(tx, JobQuery(cursor=at, **question))
        seen += [job.id for job in page.jobs]
        if coming:
            with db.write() as tx:
                jobs.insert(tx, coming.pop())
        if (at := page.next) is None:
            break
    assert len(seen) == len(set(seen))
    assert [id for id in seen if id in {job.id for job in old}] == [
        job.id
        for job in sorted(old, key=lambda job: rank(job, question["sort"]), reverse=question["descending"])
        if matches(job, question)
    ]
    db.close()


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names_are_found_exactly_and_by_a_part(db, make_job, name):
    job = make_job(spec={"name": name, "experiment": name, "compute": name}, created_by=name)
    with db.write() as tx:
        jobs.insert(tx, job)
        jobs.insert(tx, make_job(spec={"name": "plain"}))
    for question in (
        {"name": name},
        {"experiment": name},
        {"compute": name},
        {"created_by": name},
        {"q": name},
        {"q": name.upper()},
        {"q": name[:4]},
    ):
        with db.read() as tx:
            page = jobs.page(tx, JobQuery(**question))
        assert [found.id for found in page.jobs] == [job.id], question
        assert page.total == 1


@pytest.mark.parametrize("field", ["name", "experiment", "compute", "created_by", "q"])
@pytest.mark.parametrize(
    "text", ["x" * 10_000, "%" * 10_000, "é'" * 5_000, "../" * 3_334, "\0", "'; DROP TABLE jobs; --"]
)
def test_a_filter_that_nothing_matches_gives_an_empty_page(db, make_job, field, text):
    with db.write() as tx:
        jobs.insert(tx, make_job())
    with db.read() as tx:
        page = jobs.page(tx, JobQuery.model_validate({field: text}))
    assert (page.jobs, page.next, page.total) == ([], None, 0)


def test_an_empty_filter_is_none(db, make_job):
    with db.write() as tx:
        jobs.insert(tx, make_job())
    with db.read() as tx:
        assert jobs.page(tx, JobQuery(name="", q="  ", experiment="", status=[])).total == 1


def test_accents_are_the_same_however_they_are_written(db, make_job):
    with db.write() as tx:
        jobs.insert(tx, make_job(spec={"name": "cafe\u0301"}))
    with db.read() as tx:
        assert jobs.page(tx, JobQuery(q="CAFÉ")).total == 1


@pytest.mark.parametrize("limit", [0, 501, -1])
def test_limits_are_checked(limit):
    with pytest.raises(ValidationError):
        JobQuery(limit=limit)


@thorough
@given(
    st.text(max_size=200)
    | st.binary(max_size=100).map(lambda data: data.hex())
    | st.lists(
        st.none()
        | st.booleans()
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.integers(),
        max_size=5,
    ).map(cursor.encode)
    | st.tuples(st.just("created"), st.just(True), st.integers(), st.text()).map(cursor.encode),
    st.sampled_from(OF_ALL),
)
def test_a_cursor_from_anywhere_is_refused_or_gives_a_page(db, text, sort):
    with db.read() as tx:
        try:
            page = jobs.page(tx, JobQuery(cursor=text, sort=sort))
        except cursor.CursorInvalid as error:
            assert "does not continue this list" in error.message
        else:
            assert page.jobs == []


def test_a_cursor_belongs_to_its_order(db, make_job):
    with db.write() as tx:
        for _ in range(3):
            jobs.insert(tx, make_job())
    with db.read() as tx:
        following = jobs.page(tx, JobQuery(limit=1)).next
        for other in ({"descending": False}, {"sort": "ended"}, {"sort": "name"}):
            with pytest.raises(cursor.CursorInvalid):
                jobs.page(tx, JobQuery(cursor=following, **other))
    for text in ("é", "\ud800", "", "=", "W10", "[" * 10_000):
        with pytest.raises(cursor.CursorInvalid):
            cursor.decode(text, types=(int,))


def test_large_pages(db, make_job):
    with db.write() as tx:
        for _ in range(501):
            jobs.insert(tx, make_job())
    found, totals = all_pages(db, limit=500)
    assert (len(found), totals) == (501, [501, 501])
