"""One job, asynchronously."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jupyter_mlws.client import card, follow, log_tail, log_text, quantities, results, screens
from jupyter_mlws.client.options import checked_parameters, refused
from jupyter_mlws.client.prepared import Skipped
from jupyter_mlws.client.transport import Door, segment
from jupyter_mlws.model import parameters as typed
from jupyter_mlws.model.answers import AttemptList
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.events import EventPage, LogEvent, Message, Output
from jupyter_mlws.model.job import (
    Attempt,
    Job,
    JobKind,
    JobPatch,
    Rerun,
    ResultItem,
)
from jupyter_mlws.model.status import JobStatus

_FRESH_SECONDS = 0.2


class AsyncJob:
    """A job of a workspace, as it was last looked at; `refresh` looks again.

    See `Job`, whose methods these are.
    """

    def __init__(
        self, door: Door, record: Job, *, workspace: Mapping[str, str], skipped: list[Skipped] | None = None
    ) -> None:
        self._door = door
        self._workspace = workspace
        self._skipped = skipped or []
        self._record = record
        self._seen_at = time.monotonic()
        self.variable = "job"
        """What the notebook calls it; its card says so."""

    @property
    def record(self) -> Job:
        """How the job stood when it was last looked at."""
        return self._record

    @record.setter
    def record(self, record: Job) -> None:
        self._record, self._seen_at = record, time.monotonic()

    @property
    def is_fresh(self) -> bool:
        """Whether it was looked at a moment ago, so that to look again would tell nothing."""
        return time.monotonic() - self._seen_at < _FRESH_SECONDS

    @property
    def id(self) -> str:
        """Its id, 13 characters."""
        return self.record.id

    @property
    def name(self) -> str:
        """The name that people read."""
        return self.record.spec.name

    @property
    def status(self) -> JobStatus:
        """Its status when it was last looked at."""
        return self.record.status

    @property
    def workspace(self) -> Mapping[str, str]:
        """`id`, `name` and `path` of its workspace."""
        return self._workspace

    async def refresh(self) -> Job:
        """Look at the job again and return its record. Raises `NotFound` when it was deleted."""
        self.record = await self._door.get(f"/jobs/{self.id}", Job)
        return self.record

    async def wait(self, timeout: str | float | None = None) -> Job:
        """Return the record once the job has ended, whatever its status; see `Job.wait`."""
        seconds = None if timeout is None else quantities.duration(timeout)
        self.record = await follow.until_ended(self._door, self.id, timeout=seconds)
        return self.record

    async def events(self, *, attempt: int | None = None) -> AsyncGenerator[LogEvent, None]:
        """Yield the job's events, from the first of the newest attempt (or of `attempt`) until its end."""
        async for page in self.event_pages(attempt=attempt):
            for event in page:
                yield event

    async def event_pages(
        self, *, attempt: int | None = None, whole: bool = False
    ) -> AsyncGenerator[list[LogEvent], None]:
        """Yield the events in lists, as they come; `whole` fetches large values from their files."""
        async for page in follow.pages(self._door, self.id, from_attempt=attempt):
            yield [await self._whole(event) for event in page] if whole else page
        await self.refresh()

    async def stream(self, screen: screens.Screen | None = None) -> Job:
        """Show the job's output as it comes until the job has ended, and return its record."""
        shown = screen or screens.for_here(self.id)
        async for page in self.event_pages(whole=shown.rich):
            for event in page:
                shown.show(event)
        return self.record

    async def past_pages(
        self, *, attempt: int | None = None, tail: int | None = None
    ) -> AsyncGenerator[list[LogEvent], None]:
        """Yield the events that are there now, of the newest attempt or of `attempt`; wait for no more.

        `tail` limits them to the last so many bytes of the log.
        """
        offset = 0
        while True:
            query = {"attempt": attempt, "offset": offset, "tail": tail if not offset else None}
            try:
                page = await self._door.get(f"/jobs/{self.id}/events", EventPage, query=query)
            except NotFound:
                if attempt is not None:
                    raise
                await self.refresh()  # raises when it is the job that is not there
                return
            yield page.events
            if not page.events or page.next >= page.size:
                return
            attempt, offset = page.attempt, page.next

    async def logs(self, *, attempt: int | None = None, tail: int | None = None) -> str:
        """Return what the newest attempt (or `attempt`) has printed so far; see `Job.logs`."""
        return "".join([text async for text in self.log_pieces(attempt=attempt, tail=tail)])

    async def log_pieces(
        self, *, attempt: int | None = None, tail: int | None = None
    ) -> AsyncGenerator[str, None]:
        """Yield what `logs` returns a piece at a time, for logs that are larger than the memory."""
        async for page in self.past_pages(attempt=attempt, tail=tail):
            pieces = [
                log_text.of_event(event)
                for event in page
                if not (isinstance(event, Message) and event.level == "info")
            ]
            if text := log_text.plain("".join(pieces)):
                yield text

    async def last_lines(self, count: int, *, attempt: int | None = None) -> str:
        """Return the last `count` lines of what `logs` returns, without reading all of a long log."""

        async def read(tail: int) -> str:
            return await self.logs(attempt=attempt, tail=tail)

        return await log_tail.last_lines(read, count, size=await self._log_size(attempt))

    async def _log_size(self, attempt: int | None) -> int:
        """Return the bytes of the log, as far as it has come."""
        query = {"attempt": attempt, "tail": 1}
        try:
            return (await self._door.get(f"/jobs/{self.id}/events", EventPage, query=query)).size
        except NotFound:
            return 0  # logs() knows whether it is the job or its first attempt that is not there

    async def cancel(self) -> Job:
        """Ask for the job to be ended: interrupted, then terminated, then killed. Partial output is kept."""
        self.record = await self._door.send("POST", f"/jobs/{self.id}/cancel", Job)
        return self.record

    async def delete(self) -> None:
        """Delete the job with its output and results; one that runs is ended first."""
        await self._door.json("DELETE", f"/jobs/{self.id}")
        self._seen_at = -math.inf  # as it was seen it is no more

    async def rerun(
        self,
        *,
        name: str | None = None,
        parameters: Mapping[str, object] | None = None,
        compute: str | None = None,
        timeout: str | float | None = None,
        retries: int | None = None,
        cpus: float | None = None,
        memory: str | int | None = None,
        gpus: int | None = None,
        priority: str | None = None,
    ) -> AsyncJob:
        """Run the job again exactly as it was, but for what is given; see `Job.rerun`."""
        values = checked_parameters(parameters)
        wanted = {
            "cpus": cpus,
            "memory": None if memory is None else quantities.size(memory),
            "gpus": gpus,
        }
        changed = {key: value for key, value in wanted.items() if value is not None}
        resources = {**self.record.spec.resources.model_dump(), **changed} if changed else None
        try:
            changes = Rerun.model_validate(
                {
                    "name": name,
                    "parameters": {key: typed.to_json(value) for key, value in values.items()} or None,
                    "compute": compute,
                    "resources": resources,
                    "timeout": None if timeout is None else quantities.duration(timeout),
                    "retries": retries,
                    "priority": priority,
                }
            )
        except ValidationError as error:
            raise refused(error) from None
        record = await self._door.send("POST", f"/jobs/{self.id}/rerun", Job, body=changes)
        return AsyncJob(self._door, record, workspace=self._workspace)

    async def change(self, *, name: str | None = None, priority: str | None = None) -> Job:
        """Change the name or the priority of a job that waits; return its record."""
        try:
            patch = JobPatch.model_validate({"name": name, "priority": priority})
        except ValidationError as error:
            raise refused(error) from None
        self.record = await self._door.send("PATCH", f"/jobs/{self.id}", Job, body=patch)
        return self.record

    async def result(self, name: str | None = None) -> Any:
        """Return the result called `name`, waiting for the end of the job; see `Job.result`."""
        return results.unpack_all(await self.fetch_results(name))

    async def fetch_results(self, name: str | None = None) -> results.Fetched:
        """Bring the files of the results here once the job has ended, without loading them."""
        if not self.record.status.is_terminal:
            await self.wait()
        else:
            await self.refresh()
        await results.check_completed(self._door, self.record)
        single = name
        if name is None and self.record.spec.kind is JobKind.FUNCTION:
            single = "result"
        wanted = [single] if single else [item.name for item in self.record.results if item.error is None]
        files = {each: await results.fetch(self._door, self.record, each) for each in wanted}
        if single is None and (lost := [item for item in self.record.results if item.error is not None]):
            reasons = "; ".join(f"{item.name}: {(item.error or '').rstrip('.')}" for item in lost)
            self._door.say(f"Not kept: {reasons}.")
        return results.Fetched(files, single)

    async def save_result(self, name: str, path: Path) -> None:
        """Write the pack of one result to the file `path`. Raises `ResultUnknown` or `ResultNotKept`."""
        await self.wait()
        results.item(self.record, name)
        await self._door.download(f"/jobs/{self.id}/results/{segment(name)}", path)

    @property
    def results(self) -> list[ResultItem]:
        """What can be brought back, and what cannot and why."""
        return self.record.results

    async def traceback(self) -> str | None:
        """Return the traceback that the job's kernel reported last; None when there is none."""
        text = await results.traceback_of(self._door, self.record)
        return None if text is None else log_text.plain(text)

    async def notebook(self) -> dict[str, Any]:
        """Return the executed notebook, in nbformat 4, as far as it has come."""
        found: dict[str, Any] = json.loads(await self._door.text(f"/jobs/{self.id}/notebook"))
        return found

    async def attempts(self) -> list[Attempt]:
        """Return its tries, the first one first."""
        return (await self._door.get(f"/jobs/{self.id}/attempts", AttemptList)).attempts

    async def _whole(self, event: LogEvent) -> LogEvent:
        """Return the event with the large values of its output put in from their files."""
        if not isinstance(event, Output) or not isinstance(data := event.output.get("data"), dict):
            return event
        files = {mime: value for mime, value in data.items() if log_text.is_file(value)}
        if not files:
            return event
        whole = dict(data)
        for mime, value in files.items():
            assert isinstance(value, dict)
            place = (
                f"/jobs/{self.id}/attempts/{self.record.attempt or 1}/outputs/{segment(str(value['file']))}"
            )
            content = await self._door.octets(place)
            whole[mime] = _as_value(mime, content)
        return event.model_copy(update={"output": {**event.output, "data": whole}})

    def __repr__(self) -> str:
        return card.line(self.record, now=time.time())

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return card.bundle(
            self.record, workspace=self._workspace, skipped=self._skipped, variable=self.variable
        )


def _as_value(mime: str, content: bytes) -> Any:
    """Return a file's content as nbformat holds it: text, JSON, or base64 for pictures."""
    if mime.endswith("json"):
        return json.loads(content)
    if mime.startswith("text/") or mime in ("image/svg+xml", "application/javascript"):
        return content.decode("utf-8", "replace")
    return base64.b64encode(content).decode("ascii")
