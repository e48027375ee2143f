"""What a job left on disk: results, captured variables, large outputs, the executed notebook."""

from __future__ import annotations

import mimetypes
import re

from jupyter_mlws.model.answers import ResultList
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.server.route import AnyRoute, Call, FileReply, NoQuery, Route

_OCTETS = "application/octet-stream"
_LONGEST_NAME = 255


class OutputNotFound(NotFound):
    """An attempt left no output of that name."""

    code = "output_not_found"


async def results(call: Call[NoQuery, None]) -> ResultList:
    """List what the job kept, and what it could not keep."""
    job = await call.services.jobs.get(call.path["id"])
    return ResultList(results=job.results)


async def result(call: Call[NoQuery, None]) -> FileReply:
    """Give one result as it was packed."""
    file = await call.services.jobs.result_path(call.path["id"], call.path["name"])
    return FileReply(file=file, media=_OCTETS)


async def inputs(call: Call[NoQuery, None]) -> FileReply:
    """Give the pack of captured variables."""
    return FileReply(file=await call.services.jobs.input_path(call.path["id"]), media=_OCTETS)


async def output(call: Call[NoQuery, None]) -> FileReply:
    """Give a large output value, for a browser to show without trusting it."""
    name, number = call.path["file"], call.path["number"]
    if not plain_file_name(name) or re.fullmatch("[1-9][0-9]{0,8}", number) is None:
        raise OutputNotFound(f"Attempt {number[:100]!r} has no output {name[:100]!r}.")
    file = await call.services.jobs.output_path(call.path["id"], int(number), name)
    media = mimetypes.guess_type(name)[0] or _OCTETS
    if media.startswith("text/"):
        media += "; charset=utf-8"
    return FileReply(file=file, media=media, sandboxed=True)


def plain_file_name(name: str) -> bool:
    """Whether `name` is the name of a file and of nothing else: no path, not hidden."""
    fits = 0 < len(name.encode()) <= _LONGEST_NAME
    return fits and not name.startswith(".") and not any(sign in name for sign in "/\\\0")


async def notebook(call: Call[NoQuery, None]) -> FileReply:
    """Give the executed notebook as it stands, also while the job runs."""
    file = await call.services.jobs.notebook_path(call.path["id"])
    return FileReply(file=file, media="application/json")


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/jobs/{id}/results",
        resource="jobs",
        summary="List what can be brought back",
        run=results,
        query=NoQuery,
        answer=ResultList,
    ),
    Route(
        method="GET",
        path="/jobs/{id}/results/{name}",
        resource="jobs",
        summary="Get a result",
        run=result,
        query=NoQuery,
        media=_OCTETS,
    ),
    Route(
        method="GET",
        path="/jobs/{id}/inputs",
        resource="jobs",
        summary="Get the captured variables",
        run=inputs,
        query=NoQuery,
        media=_OCTETS,
    ),
    Route(
        method="GET",
        path="/jobs/{id}/attempts/{number}/outputs/{file}",
        resource="jobs",
        summary="Get a large output value",
        run=output,
        query=NoQuery,
        media=_OCTETS,
    ),
    Route(
        method="GET",
        path="/jobs/{id}/notebook",
        resource="jobs",
        summary="Get the executed notebook",
        run=notebook,
        query=NoQuery,
        media="application/json",
    ),
)
