"""The jobs of a workspace, asynchronously: submit, get, list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jupyter_mlws.client import origin
from jupyter_mlws.client.async_job import AsyncJob
from jupyter_mlws.client.blob_sender import BlobSender
from jupyter_mlws.client.cell_job import prepare_cell
from jupyter_mlws.client.notebook_job import place_on_disk, prepare_notebook
from jupyter_mlws.client.options import JobInvalid, JobOptions, PriorityWord, refused
from jupyter_mlws.client.prepared import Prepared
from jupyter_mlws.client.target import Target, prepare
from jupyter_mlws.client.transport import Door, segment
from jupyter_mlws.model.answers import JobComparison
from jupyter_mlws.model.errors import Invalid, NotFound
from jupyter_mlws.model.job import Job, JobPage
from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.model.notebook import NotebookAsk, NotebookFound

_LARGEST_PAGE = 500
_BLOB_MISSING = "blob_missing"
Progress = Callable[[int, int], None]
"""Told while variables are sent: bytes gone, bytes in all."""


class NotInNotebook(JobInvalid):
    """The notebook on the screen was to be submitted from where there is none."""

    code = "not_in_notebook"


class AsyncJobs:
    """Every job of a workspace. See `Jobs`, whose methods these are."""

    def __init__(self, door: Door, *, workspace: Mapping[str, str]) -> None:
        self._door = door
        self._blobs = BlobSender(door, workspace=Path(workspace["path"]))
        self._workspace = workspace

    async def submit(
        self,
        target: Target,
        *arguments: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
        name: str | None = None,
        experiment: str = "Default",
        compute: str = "local",
        parameters: Mapping[str, object] | None = None,
        timeout: str | float | None = None,
        retries: int = 0,
        cpus: float = 1,
        memory: str | int | None = None,
        gpus: int = 0,
        priority: PriorityWord = "medium",
        inputs: Mapping[str, object] | None = None,
        outputs: Sequence[str] | None = None,
        snapshot: bool | None = None,
        kernel: str | None = None,
    ) -> AsyncJob:
        """Submit a notebook, a script or a function; see `Jobs.submit`."""
        options = JobOptions(
            name=name,
            experiment=experiment,
            compute=compute,
            parameters=parameters,
            timeout=timeout,
            retries=retries,
            cpus=cpus,
            memory=memory,
            gpus=gpus,
            priority=priority,
            snapshot=snapshot,
            kernel=kernel,
        )
        prepared = await asyncio.to_thread(
            prepare,
            target,
            args=(*arguments, *args),
            kwargs=kwargs,
            options=options,
            inputs=inputs,
            outputs=outputs,
        )
        return await self.send(prepared)

    async def submit_cell(
        self,
        code: str,
        *,
        options: JobOptions | None = None,
        namespace: MutableMapping[str, Any] | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> AsyncJob:
        """Submit code with the variables that it reads; see `Jobs.submit_cell`."""
        prepared = await asyncio.to_thread(
            prepare_cell,
            code,
            options=options or JobOptions(),
            namespace=namespace,
            inputs=inputs,
            outputs=outputs,
        )
        return await self.send(prepared)

    async def submit_this_notebook(self, *, options: JobOptions | None = None) -> AsyncJob:
        """Submit the notebook of this kernel as it stands on the screen, saved or not."""
        found = await self.this_notebook()
        prepared = prepare_notebook(
            place_on_disk(found.path, found.folder),
            options=options or JobOptions(),
            content=dict(found.content),
        )
        return await self.send(prepared)

    async def this_notebook(self) -> NotebookFound:
        """Return the notebook of this kernel as it stands on the screen. Raises `NotInNotebook`."""
        kernel_id = origin.kernel_id()
        if kernel_id is None:
            raise NotInNotebook(
                "There is no notebook on the screen to submit: this is no notebook's kernel.",
                hint='Name its file: ws.jobs.submit("train.ipynb").',
            )
        try:
            return await self._door.send(
                "POST", "/notebooks/ask", NotebookFound, body=NotebookAsk(kernel_id=kernel_id)
            )
        except NotFound as error:
            raise NotInNotebook(
                f"The server at {self._door.address.url} knows no notebook of this kernel: {error.message}",
                hint="Save the notebook and name its file: %mlws submit train.ipynb",
            ) from None

    async def send(self, prepared: Prepared, *, progress: Progress | None = None) -> AsyncJob:
        """Send what was prepared: first the blobs that the server does not have, then the job."""
        try:
            await self._send_blobs(prepared, progress)
            try:
                record = await self._door.send("POST", "/jobs", Job, body=prepared.spec)
            except Invalid as error:
                if error.info.code != _BLOB_MISSING or not prepared.blobs:
                    raise
                # What it was known to have has gone meanwhile, or it opened another workspace.
                for blob in prepared.blobs:
                    self._blobs.forget(blob.sha256)
                await self._send_blobs(prepared, progress)
                record = await self._door.send("POST", "/jobs", Job, body=prepared.spec)
        finally:
            for blob in prepared.blobs:
                blob.source.close()
        return AsyncJob(self._door, record, workspace=self._workspace, skipped=prepared.skipped)

    async def _send_blobs(self, prepared: Prepared, progress: Progress | None) -> None:
        total = sum(blob.size for blob in prepared.blobs)
        told = None if progress is None else (lambda gone: progress(gone, total))
        for blob in prepared.blobs:
            await self._blobs.send(blob, progress=told)

    async def get(self, id: str) -> AsyncJob:
        """Return the job with this id. Raises `NotFound`."""
        record = await self._door.get(f"/jobs/{segment(id)}", Job)
        return AsyncJob(self._door, record, workspace=self._workspace)

    async def find(self, word: str) -> AsyncJob:
        """Return the job with this id, or else the newest one of this name. Raises `NotFound`."""
        try:
            return await self.get(word)
        except NotFound:
            named = await self.page(JobQuery(name=word, limit=1))
            if not named.jobs:
                raise NotFound(
                    f"There is no job {word[:100]!r} in the workspace {self._workspace.get('name', '')!r}.",
                    hint="Give the id or the name of one that `%mlws jobs` or `jupyter mlws job list` shows.",
                    code="job_not_found",
                ) from None
            return AsyncJob(self._door, named.jobs[0], workspace=self._workspace)

    async def compare(self, ids: Sequence[str]) -> JobComparison:
        """Return the latest metrics and the parameters of jobs side by side."""
        return await self._door.get("/jobs/compare", JobComparison, query={"id": list(ids)})

    async def page(self, query: JobQuery) -> JobPage:
        """Return one page of jobs."""
        asked = query.model_dump(mode="json", exclude_defaults=True)
        return await self._door.get("/jobs", JobPage, query=asked)

    async def list(self, *, limit: int = 50, **filters: Any) -> list[AsyncJob]:
        """Return at most `limit` jobs, newest first; `filters` are the fields of `JobQuery`."""
        try:
            query = JobQuery.model_validate({**filters, "limit": max(1, min(limit, _LARGEST_PAGE))})
        except ValidationError as error:
            raise refused(error) from None
        found: list[AsyncJob] = []
        while True:
            page = await self.page(query)
            found += [AsyncJob(self._door, record, workspace=self._workspace) for record in page.jobs]
            if page.next is None or len(found) >= limit:
                return found[:limit]
            query = query.model_copy(update={"cursor": page.next})
