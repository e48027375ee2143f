from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.job import Attempt, ResultItem
from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.model.status import JobStatus, TransitionRefused, Wanted
from jupyter_mlws.store import jobs, outbox
from jupyter_mlws.store.experiments import experiments
from jupyter_mlws.store.job_rows import LONGEST_FOLDED, fold

from .conftest import START

TERMINAL = [status for status in JobStatus if status.is_terminal]


def attempt(number=1, **fields):
    known = {
        "number": number,
        "status": "Preparing",
        "folder": f"jobs/x/attempts/{number}",
        "created_at": START,
    }
    return Attempt.model_validate(known | fields)


def test_a_job_comes_back_as_it_was(db, make_job):
    job = make_job(
        spec={
            "name": "naïve «тест» 'q\" \U0001f600",
            "code": "print('é')\n" * 1000,
            "parameters": {"alpha": {"$float": "nan"}, "n": {"$int": str(2**70)}, "text": "a\n'\"\\"},
            "resources": {"cpus": 0.5, "memory": 2**33, "gpus": 1},
            "outputs": ["model"],
            "timeout": 1e-3,
        },
        status="Failed",
        wanted="cancel",
        attempt=2,
        started_at="2026-01-02T03:04:05.678901+02:00",
        ended_at="2026-01-02T03:04:06.000001Z",
        seconds=0.1 + 0.2,
        cost=1e-300,
        message="stopped",
        offset=2**40,
        run_id="r",
        metrics={"auc": 0.5, "loss": None},
        results=[ResultItem(name="model", type="sklearn.X", size=3, sha256="a" * 64, preview="é")],
        memory_peak=2**40,
        has_snapshot=True,
        error=ErrorInfo(code="user_error", message="ValueError: \u2028 \x00 é", hint=None),
    )
    with db.write(durable=True) as tx:
        jobs.insert(tx, job)
    with db.read() as tx:
        assert jobs.get(tx, job.id) == job
        assert jobs.find(tx, job.id) == job


def test_a_metric_that_is_infinite_is_kept_as_no_number(db, make_job):
    job = make_job(metrics={"loss": math.inf, "lr": math.nan, "auc": 0.5})
    with db.write() as tx:
        jobs.insert(tx, job)
    with db.read() as tx:
        assert jobs.get(tx, job.id).metrics == {"loss": None, "lr": None, "auc": 0.5}
        text = tx.connection.exec_driver_sql("SELECT record FROM job_records").scalar_one()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


@pytest.mark.parametrize("id", ["", "nope", "../../etc/passwd", "'; DROP TABLE jobs; --", "é" * 10_000, "\0"])
def test_an_unknown_id_is_a_sentence(db, id):
    with pytest.raises(jobs.JobNotFound, match="There is no job"), db.read() as tx:
        jobs.get(tx, id)
    with db.read() as tx:
        assert jobs.find(tx, id) is None
        assert jobs.attempts(tx, id) == []
    with pytest.raises(jobs.JobNotFound) as caught, db.write() as tx:
        jobs.delete(tx, id)
    assert len(str(caught.value)) < 300


def test_an_id_is_given_once(db, make_job):
    job = make_job()
    with db.write() as tx:
        jobs.insert(tx, job)
    with pytest.raises(jobs.JobExists, match=job.id), db.write() as tx:
        jobs.insert(tx, job)


def test_save_writes_the_whole_record_and_its_spec(db, make_job):
    job = make_job()
    renamed = job.model_copy(
        update={
            "spec": job.spec.model_copy(update={"name": "Other"}),
            "status": JobStatus.PREPARING,
            "wanted": Wanted.CANCEL,
            "cells_total": 3,
        }
    )
    with db.write() as tx:
        jobs.insert(tx, job)
        jobs.save(tx, renamed)
    with db.read() as tx:
        assert jobs.get(tx, job.id) == renamed
        assert jobs.counts(tx)["Queued"] == 0
    with pytest.raises(jobs.JobNotFound), db.write() as tx:
        jobs.save(tx, make_job())


@pytest.mark.parametrize("end", TERMINAL)
@pytest.mark.parametrize("following", list(JobStatus))
def test_a_terminal_status_is_never_overwritten(db, make_job, end, following):
    job = make_job(status=end)
    with db.write() as tx:
        jobs.insert(tx, job)
        jobs.insert_attempt(tx, job.id, attempt(status=end))
    later = job.model_copy(update={"status": following, "message": "later", "run_id": "r"})
    if following is end:
        with db.write() as tx:
            jobs.save(tx, later)
            jobs.save_attempt(tx, job.id, attempt(status=end, pid=7))
    else:
        with (
            pytest.raises(TransitionRefused, match=f"is {end} and cannot become {following}"),
            db.write() as tx,
        ):
            jobs.save(tx, later)
        with (
            pytest.raises(TransitionRefused, match=f"is {end} and cannot become {following}"),
            db.write() as tx,
        ):
            jobs.save_attempt(tx, job.id, attempt(status=following))
    with db.read() as tx:
        assert jobs.get(tx, job.id) == (later if following is end else job)
        assert jobs.attempts(tx, job.id)[0].status is end


def test_queued_is_in_the_order_of_starting(db, make_job):
    made = [make_job(spec={"priority": priority}) for priority in ("low", "medium", "high", "medium", "high")]
    with db.write() as tx:
        for job in made:
            jobs.insert(tx, job)
        jobs.insert(tx, make_job(status="Running", spec={"priority": "high"}))
    with db.read() as tx:
        assert [job.id for job in jobs.queued(tx)] == [made[index].id for index in (2, 4, 1, 3, 0)]
        assert [job.id for job in jobs.queued(tx, limit=2)] == [made[2].id, made[4].id]


def test_active_unsettled_and_counts(db, make_job):
    made = {status: make_job(status=status) for status in JobStatus}
    ended_but_unwanted = make_job(status="Completed", wanted="delete")
    to_cancel = make_job(status="Running", wanted="cancel")
    canceled = make_job(status="Canceled", wanted="cancel")
    with db.write() as tx:
        for job in (*made.values(), ended_but_unwanted, to_cancel, canceled):
            jobs.insert(tx, job)
    with db.read() as tx:
        active = {job.id for job in jobs.active(tx)}
        assert active == {job.id for status, job in made.items() if status.is_active} | {to_cancel.id}
        assert {job.id for job in jobs.unsettled(tx)} == {ended_but_unwanted.id, to_cancel.id}
        assert [job.id for job in jobs.unsettled(tx, limit=1)] == [to_cancel.id]
        assert jobs.counts(tx) == {
            **dict.fromkeys((status.value for status in JobStatus), 1),
            "Running": 2,  # the one that is deleted is not counted
            "Canceled": 2,
        }


def test_a_job_that_is_being_deleted_is_there_for_the_leader_alone(db, make_job):
    kept, ended, running = make_job(), make_job(status="Completed"), make_job(status="Running")
    with db.write() as tx:
        for job in (kept, ended, running):
            jobs.insert(tx, job)
    with db.read() as tx:
        before = outbox.last(tx)
    with db.write() as tx:
        for job in (ended, running):
            jobs.save(tx, job.model_copy(update={"wanted": Wanted.DELETE}))
    with db.write() as tx:
        jobs.save(tx, running.model_copy(update={"wanted": Wanted.DELETE, "status": JobStatus.CANCELED}))
    with db.read() as tx:
        page = jobs.page(tx, JobQuery(limit=1))
        assert ([job.id for job in page.jobs], page.next, page.total) == ([kept.id], None, 1)
        assert jobs.page(tx, JobQuery(status=["Completed", "Canceled"])).total == 0
        for job in (ended, running):
            with pytest.raises(jobs.JobNotFound):
                jobs.get(tx, job.id)
            assert jobs.find(tx, job.id).wanted is Wanted.DELETE
        assert {job.id for job in jobs.unsettled(tx)} == {ended.id, running.id}
        # Whoever watches is told at once that they are gone.
        told = [(change.id, change.status) for change in outbox.read(tx, before)]
        assert told == [(ended.id, None), (running.id, None), (running.id, None)]


def test_attempts_belong_to_their_job(db, make_job):
    job, other = make_job(), make_job()
    first, second = attempt(), attempt(2, pid=12, process_started=1.25, error={"code": "c", "message": "m"})
    with db.write() as tx:
        jobs.insert(tx, job)
        jobs.insert(tx, other)
        jobs.insert_attempt(tx, job.id, second)
        jobs.insert_attempt(tx, job.id, first)
    with pytest.raises(jobs.AttemptExists, match="an attempt 1 already"), db.write() as tx:
        jobs.insert_attempt(tx, job.id, first)
    with pytest.raises(jobs.JobNotFound), db.write() as tx:
        jobs.insert_attempt(tx, "0" * 13, first)
    with pytest.raises(jobs.JobNotFound, match="no attempt 3"), db.write() as tx:
        jobs.save_attempt(tx, job.id, attempt(3))
    with db.read() as tx:
        assert jobs.attempts(tx, job.id) == [first, second]
        assert jobs.attempts(tx, other.id) == []
    with db.write() as tx:
        jobs.delete(tx, job.id)
    with db.read() as tx:
        assert jobs.attempts(tx, job.id) == []
        left = tx.connection.exec_driver_sql(
            "SELECT (SELECT count(*) FROM attempts), (SELECT count(*) FROM job_specs),"
            " (SELECT count(*) FROM job_records), (SELECT count(*) FROM jobs)"
        ).one()
    assert tuple(left) == (0, 1, 1, 1)


def test_each_write_is_in_the_outbox_once_as_it_was_left(db, make_job):
    job, other = make_job(), make_job()
    with db.write() as tx:
        jobs.insert(tx, job)
        jobs.insert(tx, other)
        jobs.save(tx, job.model_copy(update={"status": JobStatus.PREPARING, "offset": 9}))
        jobs.insert_attempt(tx, job.id, attempt())
    with db.write() as tx:
        jobs.save_attempt(tx, job.id, attempt(pid=1))
    with db.write() as tx:
        jobs.save(tx, other.model_copy(update={"message": "waits"}))
        jobs.delete(tx, other.id)
    with db.read() as tx:
        changes = outbox.read(tx, 0)
        assert outbox.last(tx) == changes[-1].sequence
        assert outbox.read(tx, changes[1].sequence, 1) == changes[2:3]
    assert [(change.id, change.status, change.offset) for change in changes] == [
        (job.id, "Preparing", 9),
        (other.id, "Queued", 0),
        (job.id, None, None),
        (other.id, None, None),
    ]


def test_experiments(db, make_job):
    made = [make_job(spec={"experiment": name}) for name in ("churn", "Default", "churn", "iris")]
    deleted = [
        make_job(spec={"experiment": name}, status="Completed", wanted="delete") for name in ("gone", "churn")
    ]
    with db.write() as tx:
        for job in (*made, *deleted):
            jobs.insert(tx, job)
    with db.read() as tx:
        assert experiments(tx) == [
            ("iris", 1, made[3].created_at),
            ("churn", 2, made[2].created_at),
            ("Default", 1, made[1].created_at),
        ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(min_size=1, max_size=255))
def test_no_folded_name_is_longer_than_the_limit(text):
    assert len(fold(text)) <= LONGEST_FOLDED
    assert fold(fold(text)) == fold(text)
