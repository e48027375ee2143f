"""Brings the results of a job back: one file each, mapped into memory, bound to this notebook."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlws.client import log_text
from jupyter_mlws.client.transport import Door, segment
from jupyter_mlws.model.errors import Conflict, ErrorInfo, MlwsError, NotFound
from jupyter_mlws.model.events import EventPage, Output
from jupyter_mlws.model.job import Job, ResultItem
from jupyter_mlws.model.status import JobStatus

_TAIL = 512 * 1024


class JobFailed(MlwsError):
    """The results of a job were asked for, and the job has failed.

    `job` is its record, `error` what ended it, and `traceback` the traceback of its kernel as text, or None.
    """

    code = "job_failed"

    def __init__(self, job: Job, traceback: str | None) -> None:
        self.job = job
        self.error = job.error or ErrorInfo(code="unknown", message="it is not known why.")
        self.traceback = traceback
        super().__init__(
            f"The job {job.spec.name!r} ({job.id}) failed: {self.error.message}",
            hint=self.error.hint or "The whole log is in job.logs().",
        )

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}"

    def _render_traceback_(self) -> list[str]:
        """Show IPython the remote traceback and the sentence, not the way through this client."""
        lines = self.traceback.rstrip().splitlines() if self.traceback else []
        return [*lines, *super()._render_traceback_()]


class JobCanceled(Conflict):
    """The results of a job were asked for, and the job was canceled."""

    code = "job_canceled"


class ResultUnknown(NotFound):
    """A job has no result of that name."""

    code = "result_unknown"


class ResultNotKept(Conflict):
    """A job assigned the name, but its value could not be kept."""

    code = "result_not_kept"


class ResultUnreadable(MlwsError):
    """A result came back whole, but this Python cannot load it."""

    code = "result_unreadable"


async def check_completed(door: Door, job: Job) -> None:
    """Raise `JobFailed` or `JobCanceled` for a job that ended otherwise than Completed."""
    traceback = await traceback_of(door, job) if job.status is JobStatus.FAILED else None
    check_ended_well(job, traceback=traceback)


def check_ended_well(job: Job, *, traceback: str | None) -> None:
    """Raise `JobFailed`, with the traceback of its kernel, or `JobCanceled`."""
    if job.status is JobStatus.FAILED:
        raise JobFailed(job, traceback)
    if job.status is JobStatus.CANCELED:
        raise JobCanceled(
            f"The job {job.spec.name!r} ({job.id}) was canceled; it has no results.",
            hint="job.logs() shows how far it came, job.rerun() runs it again.",
        )


async def traceback_of(door: Door, job: Job) -> str | None:
    """Return the last error that the job's kernel reported, as text with colours; None when there is none."""
    if not job.attempt:
        return None
    try:
        page = await door.get(
            f"/jobs/{job.id}/events", EventPage, query={"attempt": job.attempt, "tail": _TAIL}
        )
    except MlwsError:
        return None
    errors = [
        event
        for event in page.events
        if isinstance(event, Output) and event.output.get("output_type") == "error"
    ]
    return log_text.of_event(errors[-1]) if errors else None


def item(job: Job, name: str) -> ResultItem:
    """Return the result called `name`. Raises `ResultUnknown` or `ResultNotKept`."""
    for found in job.results:
        if found.name == name:
            if found.error is not None:
                raise ResultNotKept(
                    f"The result {name!r} of the job {job.spec.name!r} could not be kept: {found.error}",
                    hint="Assign what can be kept, or write it to a file in the job.",
                )
            return found
    raise ResultUnknown(
        f"The job {job.spec.name!r} has no result {name[:100]!r}.",
        hint=f"It has {', '.join(found.name for found in job.results) or 'none'}.",
    )


async def fetch(door: Door, job: Job, name: str) -> Path:
    """Return a temporary file with the result called `name`. Raises `ResultUnknown` or `ResultNotKept`."""
    item(job, name)
    descriptor, place = tempfile.mkstemp(prefix="mlws-", suffix=".mlws")
    os.close(descriptor)
    path = Path(place)
    try:
        await door.download(f"/jobs/{job.id}/results/{segment(name)}", path)
    except BaseException:
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - a microsecond
        raise
    return path


def unpack(path: Path, name: str) -> object:
    """Return the value that `path` holds, and remove the file. Raises `ResultUnreadable`.

    Large arrays stay in the file, which lives on without a name until the value is let go.
    """
    from jupyter_mlws.capture.portable import UnpackError, read_pack

    try:
        return read_pack(path)[name]
    except UnpackError as error:
        raise ResultUnreadable(str(error)) from error
    finally:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Fetched:
    """Results that have come here as files: one, or all of a job."""

    files: dict[str, Path]
    single: str | None
    """The name of the one that was asked for; None: all were."""


def unpack_all(fetched: Fetched) -> Any:
    """Return the one value, or a dict of all of them. Raises `ResultUnreadable`."""
    try:
        values = {name: unpack(path, name) for name, path in fetched.files.items()}
    finally:
        for path in fetched.files.values():
            path.unlink(missing_ok=True)
    return values if fetched.single is None else values[fetched.single]
