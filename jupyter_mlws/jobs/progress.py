"""How the events of an attempt's log change the records of the job and of the attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from jupyter_mlws.jobs.cost import cost
from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.events import (
    AttemptBegan,
    CellChanged,
    EnvironmentSeen,
    KernelStarted,
    LogEvent,
    Message,
    Results,
    Sample,
    StatusChanged,
)
from jupyter_mlws.model.job import Attempt, Job
from jupyter_mlws.model.status import FOLLOWERS, JobStatus


@dataclass(frozen=True)
class Ending:
    """How the worker says that its attempt ended. The job ends so once it is recorded."""

    status: JobStatus
    at: datetime
    error: ErrorInfo | None


@dataclass(frozen=True)
class Progress:
    """A job and its newest attempt, as far as the log was read."""

    job: Job
    attempt: Attempt
    seconds_before: float = 0.0
    """Seconds of the attempts before this one."""
    ending: Ending | None = None
    environment: EnvironmentSeen | None = None

    def advance(self, events: Iterable[LogEvent], *, offset: int) -> Progress:
        """Return the progress after `events`; the log was read up to the byte `offset`."""
        progress = self
        for event in events:
            progress = progress._after(event)
        return replace(progress, job=progress.job.model_copy(update={"offset": offset}))

    def at(self, moment: datetime) -> Progress:
        """Return the same with the seconds and the cost up to `moment`; preparing costs nothing."""
        seconds = round(self.seconds_before + run_seconds(self.attempt, until=moment), 3)
        price = cost(seconds, price_per_hour=self.job.price_per_hour)
        return replace(self, job=self.job.model_copy(update={"seconds": seconds, "cost": price}))

    def _after(self, event: LogEvent) -> Progress:
        moment = datetime.fromtimestamp(event.t, UTC)
        match event:
            case AttemptBegan():
                return self._with_attempt(pid=event.pid, process_started=event.process_started)
            case KernelStarted():
                return self._with_attempt(kernel_pid=event.pid, kernel_process_started=event.process_started)
            case CellChanged():
                done = event.position if event.state != "running" else event.position - 1
                return self._with_job(cells_done=done, cells_total=event.total)
            case Sample():
                peak = max(event.memory, self.job.memory_peak or 0)
                return self._with_job(memory_peak=peak).at(moment)
            case Results():
                return self._with_job(results=event.items)
            case Message():
                return self._with_job(message=event.text)
            case EnvironmentSeen():
                return replace(self, environment=event)
            case StatusChanged():
                return self._with_status(event, moment)
            case _:
                return self

    def _with_status(self, event: StatusChanged, moment: datetime) -> Progress:
        if event.status.is_terminal:
            # What follows is the recording in MLflow, which is part of finalizing.
            progress = self._moved(JobStatus.FINALIZING)._with_job(message=None).at(moment)
            return replace(progress, ending=Ending(event.status, moment, event.error))
        progress = self._moved(event.status)
        if event.status is JobStatus.RUNNING:
            progress = progress._with_job(started_at=moment, message=None)
            progress = progress._with_attempt(started_at=moment)
        return progress

    def _moved(self, status: JobStatus) -> Progress:
        """Move on where that is a step forward; a log that is read again changes nothing."""
        if status not in FOLLOWERS[self.job.status]:
            return self
        return self._with_job(status=status)._with_attempt(status=status)

    def _with_job(self, **changes: object) -> Progress:
        return replace(self, job=self.job.model_copy(update=changes))

    def _with_attempt(self, **changes: object) -> Progress:
        return replace(self, attempt=self.attempt.model_copy(update=changes))


def run_seconds(attempt: Attempt, *, until: datetime | None = None) -> float:
    """Return the seconds that the user's code ran, up to the attempt's end or `until`; 0 before it starts."""
    end = attempt.ended_at or until
    if attempt.started_at is None or end is None:
        return 0.0
    return max(0.0, (end - attempt.started_at).total_seconds())


def ended(progress: Progress, ending: Ending) -> Progress:
    """Return the records of an attempt that ended, and its job with it."""
    progress = progress.at(ending.at)
    job = progress.job.model_copy(
        update={
            "status": ending.status,
            "ended_at": ending.at,
            "error": ending.error,
            "message": None,
        }
    )
    attempt = progress.attempt.model_copy(
        update={"status": ending.status, "ended_at": ending.at, "error": ending.error}
    )
    return replace(progress, job=job, attempt=attempt)


def queued_again(progress: Progress, ending: Ending, *, message: str) -> Progress:
    """Return the records of an attempt that ended, its job waiting for another attempt."""
    over = ended(progress, ending)
    job = over.job.model_copy(
        update={
            "status": JobStatus.QUEUED,
            "ended_at": None,
            "error": ending.error,
            "message": message,
            "started_at": None,
            "cells_done": 0,
            "results": [],
            "metrics": {},
            "offset": 0,
        }
    )
    return replace(over, job=job)


def started(job: Job, *, number: int, folder: str, run_id: str | None, now: datetime) -> Progress:
    """Return a queued job with a new attempt, preparing; `run_id` is that of its MLflow run."""
    attempt = Attempt(number=number, status=JobStatus.PREPARING, folder=folder, created_at=now)
    following = job.model_copy(
        update={
            "status": JobStatus.PREPARING,
            "attempt": number,
            "offset": 0,
            "message": "Starting the kernel",
            "run_id": run_id,
            "error": None,
        }
    )
    return Progress(job=following, attempt=attempt, seconds_before=job.seconds)
