"""The noun `job`: submit, list, change, cancel, run again, delete, follow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from jupyter_mlws.jobs.long_polls import Hold
from jupyter_mlws.model.answers import AttemptList, JobComparison
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.events import EventPage
from jupyter_mlws.model.job import Job, JobPage, JobPatch, JobSpec, Rerun
from jupyter_mlws.model.job_query import ComparisonQuery, JobQuery
from jupyter_mlws.model.record import Record
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Reply, Route


class FolderOutside(Invalid):
    """A relative folder that leads out of the server's root folder, or cannot be one."""

    code = "folder_outside"


_LONGEST_WAIT = 30.0  # seconds; a proxy ends what takes a minute

Wait = Annotated[float, Field(ge=0, le=_LONGEST_WAIT, allow_inf_nan=False)]


class JobGetQuery(Record):
    """When to give a job."""

    wait: Wait = 0
    """Seconds that the answer is held for at most, until the job has ended."""


class EventQuery(Record):
    """Which piece of an event log to give."""

    attempt: Annotated[int, Field(ge=1, le=2**31)] | None = None
    """None: the newest."""
    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
    """Byte to begin at: `next` of the page before."""
    tail: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """Begin instead at the first whole event of the last `tail` bytes."""
    limit: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000_000
    """Bytes; at least one event is given."""
    wait: Wait = 0
    """Seconds that the answer is held for at most, while there is nothing new: until the log is longer than
    `offset`, the attempt is over, or the job has begun anew."""


async def submit(call: Call[NoQuery, JobSpec]) -> Job:
    """Accept a job. When this answers, the job is on disk."""
    spec = call.body
    if spec.folder is not None:
        spec = spec.model_copy(update={"folder": live_folder(spec.folder, root=call.doors.root)})
    return await call.services.jobs.submit(spec, who=call.who)


def live_folder(folder: str, *, root: Path | None) -> str:
    """Return `folder` as an absolute path; a relative one is under `root`, as Jupyter shows it."""
    path = Path(folder)
    if path.is_absolute():
        return folder
    if root is None or ".." in path.parts or "\0" in folder:
        raise FolderOutside(
            f"The folder {folder[:200]!r} is not below the folder that Jupyter shows.",
            hint="Give an absolute path, or one below the server's root folder.",
        )
    return str(root / path)


async def page(call: Call[JobQuery, None]) -> JobPage:
    """List jobs by page."""
    return await call.services.jobs.page(call.query)


async def compare(call: Call[ComparisonQuery, None]) -> JobComparison:
    """Put jobs side by side."""
    return await call.services.jobs.compare(call.query.id)


async def get(call: Call[JobGetQuery, None]) -> Job:
    """Give one job, at once or when it has ended."""
    return await call.services.jobs.get(call.path["id"], hold=Hold(call.query.wait, call.when_gone))


async def patch(call: Call[NoQuery, JobPatch]) -> Job:
    """Change the name or the priority."""
    return await call.services.jobs.patch(call.path["id"], call.body, who=call.who)


async def delete(call: Call[NoQuery, None]) -> Reply:
    """Delete a job with its folder."""
    await call.services.jobs.delete(call.path["id"], who=call.who)
    return Reply(status=204)


async def cancel(call: Call[NoQuery, None]) -> Job:
    """Ask for the end of a job. It may run a few seconds longer."""
    return await call.services.jobs.cancel(call.path["id"], who=call.who)


async def rerun(call: Call[NoQuery, Rerun]) -> Job:
    """Run a job again, as it was but for what the body says."""
    return await call.services.jobs.rerun(call.path["id"], call.body, who=call.who)


async def attempts(call: Call[NoQuery, None]) -> AttemptList:
    """List the attempts of a job."""
    return AttemptList(attempts=await call.services.jobs.attempts(call.path["id"]))


async def events(call: Call[EventQuery, None]) -> EventPage:
    """Give a piece of an attempt's event log, at once or when there is something new."""
    query = call.query
    return await call.services.jobs.events(
        call.path["id"],
        attempt=query.attempt,
        offset=query.offset,
        tail=query.tail,
        limit=query.limit,
        hold=Hold(query.wait, call.when_gone),
    )


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="POST",
        path="/jobs",
        resource="jobs",
        asks="execute",
        summary="Submit a job",
        run=submit,
        query=NoQuery,
        body=JobSpec,
        answer=Job,
        status=201,
    ),
    Route(
        method="GET",
        path="/jobs",
        resource="jobs",
        summary="List jobs",
        run=page,
        query=JobQuery,
        answer=JobPage,
    ),
    Route(
        method="GET",
        path="/jobs/compare",
        resource="jobs",
        summary="Compare the metrics and parameters of jobs",
        run=compare,
        query=ComparisonQuery,
        answer=JobComparison,
    ),
    Route(
        method="GET",
        path="/jobs/{id}",
        resource="jobs",
        summary="Get a job",
        run=get,
        query=JobGetQuery,
        answer=Job,
    ),
    Route(
        method="PATCH",
        path="/jobs/{id}",
        resource="jobs",
        summary="Change the name or the priority of a job",
        run=patch,
        query=NoQuery,
        body=JobPatch,
        answer=Job,
    ),
    Route(
        method="DELETE",
        path="/jobs/{id}",
        resource="jobs",
        summary="Delete a job",
        run=delete,
        query=NoQuery,
        status=204,
    ),
    Route(
        method="POST",
        path="/jobs/{id}/cancel",
        resource="jobs",
        summary="Cancel a job",
        run=cancel,
        query=NoQuery,
        answer=Job,
    ),
    Route(
        method="POST",
        path="/jobs/{id}/rerun",
        resource="jobs",
        asks="execute",
        summary="Run a job again",
        run=rerun,
        query=NoQuery,
        body=Rerun,
        answer=Job,
        status=201,
    ),
    Route(
        method="GET",
        path="/jobs/{id}/attempts",
        resource="jobs",
        summary="List the attempts of a job",
        run=attempts,
        query=NoQuery,
        answer=AttemptList,
    ),
    Route(
        method="GET",
        path="/jobs/{id}/events",
        resource="jobs",
        summary="A piece of a job's event log",
        run=events,
        query=EventQuery,
        answer=EventPage,
    ),
)
