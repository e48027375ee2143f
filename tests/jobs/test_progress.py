from __future__ import annotations

from datetime import timedelta

from jupyter_mlws.jobs.progress import Ending, Progress, ended, queued_again, started
from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.events import (
    AttemptBegan,
    CellChanged,
    KernelStarted,
    LogEvent,
    Results,
    Sample,
    StatusChanged,
)
from jupyter_mlws.model.job import ResultItem
from jupyter_mlws.model.status import JobStatus
from tests.jobs.making import START, make_job

T = START.timestamp()
FAILURE = ErrorInfo(code="user_error", message="ValueError: no")


def begun(*, price_per_hour: float = 3.6, retries: int = 0) -> Progress:
    job = make_job(price_per_hour=price_per_hour, retries=retries)
    return started(job, number=1, folder="jobs/x/attempts/1", run_id="r1", now=START)


def whole_run() -> list[LogEvent]:
    return [
        AttemptBegan(t=T, job="x", attempt=1, pid=10, process_started=5.0, host="here"),
        StatusChanged(t=T, status=JobStatus.PREPARING),
        KernelStarted(t=T + 1, pid=11, process_started=6.0),
        StatusChanged(t=T + 2, status=JobStatus.RUNNING),
        CellChanged(t=T + 2, index=3, position=2, total=5, state="running"),
        Sample(t=T + 5, memory=1000, cpu_seconds=3),
        Sample(t=T + 6, memory=500, cpu_seconds=4),
        CellChanged(t=T + 7, index=3, position=2, total=5, state="ok"),
        StatusChanged(t=T + 8, status=JobStatus.FINALIZING),
        Results(t=T + 9, items=[ResultItem(name="model", type="Ridge", size=10)]),
        StatusChanged(t=T + 10, status=JobStatus.COMPLETED),
    ]


def test_a_whole_run() -> None:
    progress = begun().advance(whole_run(), offset=700)
    job, attempt = progress.job, progress.attempt
    assert job.status is JobStatus.FINALIZING  # until it is recorded
    assert progress.ending == Ending(JobStatus.COMPLETED, START + timedelta(seconds=10), None)
    assert (job.cells_done, job.cells_total, job.memory_peak, job.offset) == (2, 5, 1000, 700)
    assert (attempt.pid, attempt.kernel_pid) == (10, 11)
    assert job.started_at == START + timedelta(seconds=2)
    assert job.results[0].name == "model"
    over = ended(progress, progress.ending)
    assert over.job.status is over.attempt.status is JobStatus.COMPLETED
    assert over.job.seconds == 8
    assert over.job.cost == 0.008


def test_reading_a_log_again_changes_nothing() -> None:
    once = begun().advance(whole_run(), offset=700)
    assert once.advance(whole_run(), offset=700) == once


def test_a_failure_while_preparing_ends_the_job() -> None:
    failed = StatusChanged(t=T + 1, status=JobStatus.FAILED, error=FAILURE)
    progress = begun().advance([failed], offset=10)
    assert progress.job.status is JobStatus.PREPARING
    assert progress.ending is not None
    assert ended(progress, progress.ending).job.error == FAILURE


def test_another_attempt_begins_with_a_clean_record_and_pays_for_both() -> None:
    failed = StatusChanged(t=T + 100, status=JobStatus.FAILED, error=FAILURE)
    progress = begun(retries=1).advance([*whole_run()[:8], failed], offset=10)
    assert progress.ending is not None
    again = queued_again(progress, progress.ending, message="Waits for try 2 of 2")
    assert again.attempt.status is JobStatus.FAILED
    assert again.job.status is JobStatus.QUEUED
    assert again.job.results == []
    second = started(again.job, number=2, folder="f", run_id="r2", now=START + timedelta(seconds=200))
    assert second.job.offset == 0
    assert second.at(START + timedelta(seconds=230)).job.seconds == 98  # preparing costs nothing
    second = second.advance([StatusChanged(t=T + 210, status=JobStatus.RUNNING)], offset=1)
    assert second.at(START + timedelta(seconds=230)).job.seconds == 118


def test_a_new_attempt_has_a_run_of_its_own() -> None:
    job = make_job().model_copy(update={"run_id": "of the attempt before"})
    begun = started(job, number=2, folder="jobs/x/attempts/2", run_id="its own", now=START)
    assert begun.job.run_id == "its own"
