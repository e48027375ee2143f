"""What MLflow is told of a job: its run, and beside it code, packages, inputs and the executed notebook."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Iterator
from pathlib import Path

from jupyter_mlws.environments.lock import Lock
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.progress import Ending
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import Attempt, Job, JobKind
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.tracking.git import git_state
from jupyter_mlws.tracking.handover import handover, no_handover
from jupyter_mlws.tracking.recording import (
    git_tags,
    job_tags,
    record_cell,
    record_inputs,
    record_notebook,
    record_packages,
    record_source,
)
from jupyter_mlws.tracking.runs import RunIdentity, Runs
from jupyter_mlws.tracking.server import TrackingServer

_ARTIFACT_SECONDS = 25.0
_FINISH_SECONDS = 10.0
_METRICS_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Recorder:
    """Keeps the MLflow run of each attempt. MLflow in trouble fails no job: it is said, and it goes on."""

    def __init__(self, server: TrackingServer | None, *, blobs: Blobs) -> None:
        """Without a `server`, nothing is recorded."""
        self._server = server
        self._runs = None if server is None else Runs(server.ensure)
        self._blobs = blobs
        self._warming: asyncio.Task[None] | None = None

    @property
    def records(self) -> bool:
        """Whether there is an MLflow to tell."""
        return self._runs is not None

    def warm_up(self) -> None:
        """Have MLflow's server started beside everything else: its first start takes many seconds."""
        if self._server is not None:
            self._warming = asyncio.create_task(self._warm_up(self._server))

    async def _warm_up(self, server: TrackingServer) -> None:
        try:
            await server.ensure()
        except MlwsError as error:
            _log.warning("MLflow's server could not be started: %s", error)

    async def close(self) -> None:
        """Close the connections; MLflow's server runs on."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._runs is not None:
            await self._runs.close()

    async def begin(self, job: Job, attempt: Attempt, folder: AttemptFolder) -> str | None:
        """Create the attempt's run and tell the worker of it; return the run's id, None when there is none.

        Safe to call again: an attempt has one run.
        """
        if self._runs is None or self._server is None:
            return None
        run: RunIdentity | None = None
        try:
            run = await self._runs.create_run(
                experiment=job.spec.experiment,
                name=job.spec.name,
                job=job.id,
                attempt=attempt.number,
                tags=job_tags(job),
                params=job.spec.values,
            )
            content = handover(await self._server.ensure(), run=run)
        except Exception as error:
            # Whatever it was: the worker waits for an answer, and the job is worth more than its record.
            expected = isinstance(error, MlwsError)
            _log.warning(
                "Job %s is not recorded in MLflow: %s", job.id, error, exc_info=None if expected else error
            )
            content = no_handover(error.message if isinstance(error, MlwsError) else str(error))
        await asyncio.to_thread(folder.give_tracking, content)
        return None if run is None else run.run_id

    async def describe(self, job: Job, run_id: str) -> None:
        """Add what takes longer to find out: the state of git. Beside the job, not before it."""
        if self._runs is None or job.spec.folder is None:
            return
        try:
            state = await git_state(Path(job.spec.folder))
            if state is not None:
                await self._runs.set_tags(run_id, tags=git_tags(state))
        except MlwsError as error:
            _log.warning("The git state of job %s is not recorded: %s", job.id, error)

    async def metrics(self, run_id: str) -> dict[str, float | None] | None:
        """Return the latest metrics of a run, None when they cannot be had now."""
        if self._runs is None:
            return None
        try:
            async with asyncio.timeout(_METRICS_SECONDS):
                return await self._runs.metrics(run_id)
        except (MlwsError, TimeoutError) as error:
            _log.debug("The metrics of run %s cannot be read: %s", run_id, error)
            return None

    async def end(self, job: Job, folder: AttemptFolder, ending: Ending, lock: Lock | None) -> str | None:
        """Complete the run; return a sentence when that did not work out, else None."""
        if self._runs is None:
            return None
        if job.run_id is None:
            return "MLflow could not be reached: the job has no run there."
        runs, run_id = self._runs, job.run_id
        artifacts = await asyncio.to_thread(
            lambda: list(self._artifacts(runs, job, run_id, folder, lock))  # looks for files
        )
        # The status last: once it says FINISHED, all is there. It is set whatever became of the rest.
        kept = await self._tried(job, _all(artifacts), seconds=_ARTIFACT_SECONDS)
        finishing = runs.finish(run_id, status=ending.status, at=ending.at)
        return await self._tried(job, finishing, seconds=_FINISH_SECONDS) or kept

    async def _tried(self, job: Job, work: Awaitable[object], *, seconds: float) -> str | None:
        """Do `work` for at most `seconds`; return a sentence when that did not work out, else None."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except Exception as error:  # the record is not worth the job
            expected = isinstance(error, MlwsError | TimeoutError | OSError)
            _log.warning(
                "The end of job %s is not recorded in MLflow: %s",
                job.id,
                str(error) or "no answer",
                exc_info=None if expected else error,
            )
            said = str(error) or f"it did not answer within {seconds:.0f} s."
            return f"The end of the run is not recorded in MLflow: {said}"
        return None

    def _artifacts(
        self, runs: Runs, job: Job, run_id: str, folder: AttemptFolder, lock: Lock | None
    ) -> Iterator[Awaitable[None]]:
        spec = job.spec
        if spec.code is not None:
            yield record_cell(runs, run_id, source=spec.code)
        source = self._source(job, folder)
        if source is not None:
            yield record_source(runs, run_id, name=spec.path or "notebook.ipynb", file=source)
        if lock is not None:
            yield record_packages(runs, run_id, packages=[f"# Python {lock.python}", *lock.packages])
        if spec.inputs is not None:
            yield record_inputs(runs, run_id, inputs=spec.inputs)
        if folder.files.notebook.exists():
            yield record_notebook(runs, run_id, file=folder.files.notebook)

    def _source(self, job: Job, folder: AttemptFolder) -> Path | None:
        """Return the notebook or script as it was submitted."""
        spec = job.spec
        if spec.notebook is not None:
            return self._blobs.path(spec.notebook)
        if spec.kind is not JobKind.SCRIPT or spec.folder is None or spec.path is None:
            return None
        path = (folder.files.work if job.has_snapshot else Path(spec.folder)) / spec.path
        return path if path.is_file() else None


async def _all(works: Iterable[Awaitable[object]]) -> None:
    """Do all of `works`, then raise the first error of theirs."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
