"""Makes records for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Job, JobKind, JobSpec, Priority, Resources
from jupyter_mlws.model.status import JobStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


def make_job(
    *,
    minute: int = 0,
    cpus: float = 1,
    gpus: int = 0,
    memory: int | None = None,
    priority: Priority = Priority.MEDIUM,
    compute: str = "local",
    status: JobStatus = JobStatus.QUEUED,
    price_per_hour: float = 0.0,
    retries: int = 0,
) -> Job:
    """Return a cell job, submitted `minute` minutes after the start of the year 2026."""
    return Job(
        id=new_id(),
        spec=JobSpec(
            kind=JobKind.CELL,
            name="job",
            code="1",
            compute=compute,
            priority=priority,
            retries=retries,
            resources=Resources(cpus=cpus, gpus=gpus, memory=memory),
        ),
        status=status,
        created_by="tester",
        created_at=START + timedelta(minutes=minute),
        price_per_hour=price_per_hour,
    )
