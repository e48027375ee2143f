"""A job or an attempt as a record, and as rows of the tables."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa

from jupyter_mlws.model.job import Attempt, Job, JobSpec, Priority
from jupyter_mlws.store.tables import NEVER, job_records, job_specs, jobs, to_microseconds

LONGEST_FOLDED = 1024
"""More characters than any name has after `fold`: a letter becomes three at most."""
_RANKS = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


def fold(text: str) -> str:
    """Return `text` without differences of case or of how accents are written, for search and order."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def job_to_row(job: Job) -> dict[str, Any]:
    """Return the values of the table `jobs`."""
    return {
        "id": job.id,
        "status": job.status.value,
        "wanted": job.wanted.value,
        "kind": job.spec.kind.value,
        "name": job.spec.name,
        "name_folded": fold(job.spec.name),
        "experiment": job.spec.experiment,
        "compute": job.spec.compute,
        "created_by": job.created_by,
        "priority": _RANKS[job.spec.priority],
        "created_at": job.created_at,
        "ended_key": NEVER if job.ended_at is None else to_microseconds(job.ended_at),
        "seconds": job.seconds,
    }


def job_to_json(job: Job) -> dict[str, Any]:
    """Return the value of the column `job_records.record`."""
    return job.model_dump(mode="json", exclude={"spec"})


def spec_to_json(spec: JobSpec) -> dict[str, Any]:
    """Return the value of the column `job_specs.spec`."""
    return spec.model_dump(mode="json")


def select_jobs() -> sa.Select[Any]:
    """Return the query whose rows `row_to_job` takes; the caller narrows it."""
    parts = jobs.join(job_records).join(job_specs, job_specs.c.job_id == jobs.c.id)
    return sa.select(jobs.c.id, job_records.c.record, job_specs.c.spec).select_from(parts)


def row_to_job(row: sa.Row[Any]) -> Job:
    """Return the job of a row of `select_jobs`."""
    return Job.model_validate({**row.record, "spec": row.spec})


def attempt_to_row(attempt: Attempt) -> dict[str, Any]:
    """Return the values of the table `attempts`, but for the job's id."""
    return {
        "number": attempt.number,
        "status": attempt.status.value,
        "record": attempt.model_dump(mode="json"),
    }
