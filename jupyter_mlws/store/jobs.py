"""Jobs and their attempts in the database; every write is noted for the outbox in its transaction."""

from __future__ import annotations

import re

import sqlalchemy as sa

from jupyter_mlws.model.errors import Conflict, NotFound
from jupyter_mlws.model.job import Attempt, Job, JobSpec
from jupyter_mlws.model.status import ACTIVE, JobStatus, TransitionRefused, Wanted
from jupyter_mlws.store import tables
from jupyter_mlws.store.job_page import page
from jupyter_mlws.store.job_rows import (
    attempt_to_row,
    job_to_json,
    job_to_row,
    row_to_job,
    select_jobs,
    spec_to_json,
)
from jupyter_mlws.store.tables import UNFINISHED, UNSETTLED, job_records, job_specs
from jupyter_mlws.store.transaction import Transaction

__all__ = [
    "AttemptExists",
    "JobExists",
    "JobNotFound",
    "active",
    "attempts",
    "counts",
    "delete",
    "find",
    "get",
    "hashes",
    "ids",
    "insert",
    "insert_attempt",
    "page",
    "queued",
    "save",
    "save_attempt",
    "save_progress",
    "unfinished",
    "unsettled",
    "waiting",
]
_NOUN = "job"
# Made once: to put a statement together takes longer than to run it, and these run many times for a job.
_STORED = (
    sa.select(tables.jobs.c.status, tables.jobs.c.wanted, job_specs.c.spec, job_records.c.record)
    .join_from(tables.jobs, job_specs)
    .join(job_records, job_records.c.job_id == tables.jobs.c.id)
    .where(tables.jobs.c.id == sa.bindparam("this"))
)
_UPDATE_JOB = tables.jobs.update().where(tables.jobs.c.id == sa.bindparam("this"))
_UPDATE_RECORD = job_records.update().where(job_records.c.job_id == sa.bindparam("this"))
_ATTEMPT = (
    tables.attempts.c.job_id == sa.bindparam("of"),
    tables.attempts.c.number == sa.bindparam("this"),
)
_STORED_ATTEMPT = sa.select(tables.attempts.c.status).where(*_ATTEMPT)
_UPDATE_ATTEMPT = tables.attempts.update().where(*_ATTEMPT)
_FIND = select_jobs().where(tables.jobs.c.id == sa.bindparam("this"))
_QUEUED = (
    select_jobs()
    .where(UNFINISHED, tables.jobs.c.status == JobStatus.QUEUED.value)
    .order_by(tables.jobs.c.priority, tables.jobs.c.created_at, tables.jobs.c.id)
)
_UNSETTLED = select_jobs().where(UNSETTLED).order_by(tables.jobs.c.status.in_(sorted(ACTIVE)).desc())
_HASH = re.compile(r'"([0-9a-f]{64})"')


class JobNotFound(NotFound):
    """No job, or no attempt at it, has this id."""

    code = "job_not_found"


class JobExists(Conflict):
    """A job of this id was accepted before."""

    code = "job_exists"


class AttemptExists(Conflict):
    """This attempt was begun before."""

    code = "attempt_exists"


def insert(tx: Transaction, job: Job) -> None:
    """Add a job. Raises `JobExists`."""
    try:
        tx.connection.execute(tables.jobs.insert().values(job_to_row(job)))
    except sa.exc.IntegrityError as error:
        raise JobExists(f"There is a job {job.id} already.") from error
    tx.connection.execute(job_records.insert().values(job_id=job.id, record=job_to_json(job)))
    tx.connection.execute(job_specs.insert().values(job_id=job.id, spec=spec_to_json(job.spec)))
    _note(tx, job)


def get(tx: Transaction, id: str) -> Job:
    """Return the job. Raises `JobNotFound`, also for one that was deleted and is still ending."""
    job = find(tx, id)
    if job is None or job.wanted is Wanted.DELETE:
        raise _not_found(id)
    return job


def find(tx: Transaction, id: str) -> Job | None:
    """Return the job, deleted by its user or not; None when there is none of this id."""
    row = tx.connection.execute(_FIND, {"this": id}).one_or_none()
    return None if row is None else row_to_job(row)


def save(tx: Transaction, job: Job) -> None:
    """Write the whole record over the stored one; read that in the same transaction, or a change is lost.

    A terminal status stays: the rest of an ended job may change (its run, metrics, message), but
    another status raises `TransitionRefused` and nothing is written. Raises `JobNotFound`.
    """
    stored = tx.connection.execute(_STORED, {"this": job.id}).one_or_none()
    if stored is None:
        raise _not_found(job.id)
    _write(tx, job, status=JobStatus(stored.status))
    spec = spec_to_json(job.spec)
    if spec != stored.spec:
        tx.connection.execute(job_specs.update().where(job_specs.c.job_id == job.id).values(spec=spec))


def save_progress(tx: Transaction, job: Job) -> Job | None:
    """Write what the leader knows of a job, and return the job as stored then; None when it is gone.

    What others change meanwhile stays as it is stored: the wish, the spec, and whether there is a snapshot.
    Raises `TransitionRefused` as `save`.
    """
    stored = tx.connection.execute(_STORED, {"this": job.id}).one_or_none()
    if stored is None:
        return None
    changes: dict[str, object] = {}
    if stored.wanted != job.wanted.value:
        changes["wanted"] = Wanted(stored.wanted)
    if stored.record["has_snapshot"] != job.has_snapshot:
        changes["has_snapshot"] = stored.record["has_snapshot"]
    if stored.spec != spec_to_json(job.spec):
        changes["spec"] = JobSpec.model_validate(stored.spec)
    merged = job.model_copy(update=changes) if changes else job
    _write(tx, merged, status=JobStatus(stored.status))
    return merged


def _write(tx: Transaction, job: Job, *, status: JobStatus) -> None:
    """Write all of a job but its spec; `status` is the stored one."""
    _refuse_after_end(f"The job {job.id}", status, job.status)
    this = {"this": job.id}
    tx.connection.execute(_UPDATE_JOB, {**job_to_row(job), **this})
    tx.connection.execute(_UPDATE_RECORD, {"record": job_to_json(job), **this})
    _note(tx, job)


def delete(tx: Transaction, id: str) -> None:
    """Remove a job and its attempts from the database; its folder is the caller's. Raises `JobNotFound`."""
    if tx.connection.execute(tables.jobs.delete().where(tables.jobs.c.id == id)).rowcount == 0:
        raise _not_found(id)
    tx.changes.note_removal(_NOUN, id)


def active(tx: Transaction) -> list[Job]:
    """Return the jobs whose attempt holds slots (preparing, running, finalizing), oldest first."""
    rows = tx.connection.execute(
        select_jobs()
        .where(UNFINISHED, tables.jobs.c.status.in_(sorted(ACTIVE)))
        .order_by(tables.jobs.c.created_at, tables.jobs.c.id)
    )
    return [row_to_job(row) for row in rows]


def queued(tx: Transaction, *, limit: int | None = None) -> list[Job]:
    """Return up to `limit` jobs that wait, in the order they are to start: by priority, then oldest first."""
    return [row_to_job(row) for row in tx.connection.execute(_QUEUED.limit(limit))]


def unsettled(tx: Transaction, *, limit: int | None = None) -> list[Job]:
    """Return up to `limit` jobs whose user wants them canceled and that have not ended, or deleted.

    Those that run come first: to end them is urgent.
    """
    return [row_to_job(row) for row in tx.connection.execute(_UNSETTLED.limit(limit))]


def ids(tx: Transaction) -> set[str]:
    """Return the ids of all jobs."""
    return set(tx.connection.execute(sa.select(tables.jobs.c.id)).scalars())


def hashes(tx: Transaction) -> set[str]:
    """Return every SHA-256 in the rows of jobs: those of all blobs that they name are among them."""
    found: set[str] = set()
    # As text, whatever the field is called: a blob that was overlooked would be lost.
    for column in (job_specs.c.spec, job_records.c.record):
        for text in tx.connection.execute(sa.select(sa.type_coerce(column, sa.Text))).scalars():
            found.update(_HASH.findall(text))
    return found


def counts(tx: Transaction) -> dict[str, int]:
    """Return the number of jobs of every status, zeros included; deleted ones are not counted."""
    # One walk with a counter for each status; grouping would sort all rows first.
    counters = [sa.func.count().filter(tables.jobs.c.status == status.value) for status in JobStatus]
    found = tx.connection.execute(
        sa.select(*counters).select_from(tables.jobs).where(tables.jobs.c.id.not_in(tables.deleted()))
    ).one()
    return {status.value: number for status, number in zip(JobStatus, found, strict=True)}


def waiting(tx: Transaction) -> dict[str, int]:
    """Return how many jobs wait for each compute, by its name."""
    rows = tx.connection.execute(
        sa.select(tables.jobs.c.compute, sa.func.count().label("number"))
        .where(UNFINISHED, tables.jobs.c.status == JobStatus.QUEUED.value)
        .group_by(tables.jobs.c.compute)
    )
    return {row.compute: row.number for row in rows}


def unfinished(tx: Transaction, compute: str) -> tuple[int, int]:
    """Return how many jobs run on a compute, and how many wait for it."""
    rows = tx.connection.execute(
        sa.select(tables.jobs.c.status, sa.func.count().label("number"))
        .where(UNFINISHED, tables.jobs.c.compute == compute)
        .group_by(tables.jobs.c.status)
    )
    numbers = {row.status: row.number for row in rows}
    waiting = numbers.pop(JobStatus.QUEUED.value, 0)
    return sum(numbers.values()), waiting


def insert_attempt(tx: Transaction, job_id: str, attempt: Attempt) -> None:
    """Add an attempt at a job. Raises `AttemptExists`, or `JobNotFound`."""
    number = tx.connection.execute(
        sa.select(sa.func.count()).select_from(tables.jobs).where(tables.jobs.c.id == job_id)
    ).scalar_one()
    if number == 0:
        raise _not_found(job_id)
    try:
        tx.connection.execute(tables.attempts.insert().values(job_id=job_id, **attempt_to_row(attempt)))
    except sa.exc.IntegrityError as error:
        raise AttemptExists(f"The job {job_id} has an attempt {attempt.number} already.") from error
    tx.changes.note(_NOUN, job_id)


def save_attempt(tx: Transaction, job_id: str, attempt: Attempt) -> None:
    """Write the whole record over the stored one. Raises `TransitionRefused` as `save`, or `JobNotFound`."""
    this = {"of": job_id, "this": attempt.number}
    stored = tx.connection.execute(_STORED_ATTEMPT, this).scalar_one_or_none()
    if stored is None:
        raise JobNotFound(f"The job {job_id[:100]!r} has no attempt {attempt.number}.")
    _refuse_after_end(f"Attempt {attempt.number} of the job {job_id}", JobStatus(stored), attempt.status)
    tx.connection.execute(_UPDATE_ATTEMPT, {**attempt_to_row(attempt), **this})
    tx.changes.note(_NOUN, job_id)


def attempts(tx: Transaction, job_id: str) -> list[Attempt]:
    """Return the attempts at a job, first to newest; empty also for a job that does not exist."""
    columns = tables.attempts.c
    found = tx.connection.execute(
        sa.select(columns.record).where(columns.job_id == job_id).order_by(columns.number)
    ).scalars()
    return [Attempt.model_validate(record) for record in found]


def _refuse_after_end(what: str, stored: JobStatus, following: JobStatus) -> None:
    if stored.is_terminal and following is not stored:
        raise TransitionRefused(
            f"{what} is {stored} and cannot become {following}.", hint="Submit it again with re-run."
        )


def _not_found(id: str) -> JobNotFound:
    return JobNotFound(
        f"There is no job {id[:100]!r}.", hint="`%mlws jobs` lists the jobs of this workspace."
    )


def _note(tx: Transaction, job: Job) -> None:
    if job.wanted is Wanted.DELETE:  # gone for whoever looks
        tx.changes.note_removal(_NOUN, job.id)
    else:
        tx.changes.note(_NOUN, job.id, status=job.status.value, offset=job.offset)
