"""What MLflow is told of a job: written to the attempt's spool, and handed to the job's worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from jupyter_mlws.environments.lock import Lock
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.progress import Ending
from jupyter_mlws.jobs.unshipped import note_unshipped
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import Attempt, Job, JobKind
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.tracking.git_states import GitStates
from jupyter_mlws.tracking.handover import KnownRun, Settings, handover, no_handover
from jupyter_mlws.tracking.identity import identify, read_identity, run_id, write_identity
from jupyter_mlws.tracking.limits import fitting_params
from jupyter_mlws.tracking.recording import RunRecord, git_tags, milliseconds, run_tags
from jupyter_mlws.tracking.server import TrackingServer

_log = logging.getLogger(__name__)


class Recorder:
    """Writes what is to be in the run of each attempt. MLflow is not asked, and need not be there."""

    def __init__(
        self,
        server: TrackingServer | None,
        *,
        blobs: Blobs,
        begun: Callable[[str, int], None],
        doorbell: Path | None = None,
    ) -> None:
        """Without a `server`, nothing is recorded. Whoever logs rings at `doorbell`.

        `begun` is told of each attempt, by job and number, whose run begins.
        """
        self._server = server
        self._blobs = blobs
        self._begun = begun
        self._doorbell = doorbell
        self._git = GitStates()

    @property
    def records(self) -> bool:
        """Whether there is an MLflow to tell."""
        return self._server is not None

    def run_id(self, job: Job, number: int) -> str | None:
        """Return the id of the run that attempt `number` has, None where nothing is recorded."""
        return None if self._server is None else run_id(job.id, number)

    def begin(self, job: Job, attempt: Attempt, folder: AttemptFolder) -> None:
        """Write the beginning of the run, and what the worker needs of it: a few milliseconds of disk."""
        if self._server is not None:
            self._begin(self._server, job, attempt, folder)

    def tell(self, job: Job, attempt: Attempt) -> None:
        """Let it be shipped that the run has begun; on the event loop."""
        if self._server is not None:
            self._begun(job.id, attempt.number)

    async def describe(self, job: Job, folder: AttemptFolder) -> None:
        """Add what takes longer to find out: the state of git. Beside the job, not before it."""
        if self._server is None or job.spec.folder is None:
            return
        state = await self._git.of(Path(job.spec.folder))
        if state is not None:
            await asyncio.to_thread(_tag, folder, git_tags(state))

    def end(self, job: Job, folder: AttemptFolder, ending: Ending, lock: Lock | None) -> str | None:
        """Write the end of the run; return a sentence when that did not work out, else None."""
        try:
            self._end(job, folder, ending, lock)
        except OSError as error:
            _log.warning("The end of job %s is not recorded for MLflow: %s", job.id, error)
            return f"The end of the run is not recorded in MLflow: {error.strerror or error}."
        return None

    def _begin(self, server: TrackingServer, job: Job, attempt: Attempt, folder: AttemptFolder) -> None:
        try:
            address = server.reserve()
            run = identify(
                server.database, job=job.id, attempt=attempt.number, experiment=job.spec.experiment
            )
            now, tags = datetime.now(UTC), run_tags(job, attempt=attempt.number)
            # The note first: whatever is in a spool is found by it.
            note_unshipped(server.unshipped, job.id, attempt.number)
            write_identity(folder.files.spool, run)
            with RunRecord(folder.files.spool, run) as record:
                record.begin(name=job.spec.name, started_at=now, tags=tags)
                record.params(job.spec.values)
                if job.spec.code is not None:
                    record.cell(job.spec.code)
                if job.spec.inputs is not None:
                    record.inputs(job.spec.inputs)
            known = KnownRun(
                run_id=run.run_id,
                experiment_id=run.experiment_id,
                experiment=run.experiment,
                location=run.location,
                job=job.id,
                attempt=attempt.number,
                name=job.spec.name,
                user=job.created_by,
                start_time=milliseconds(now),
                params=fitting_params(job.spec.values)[0],
                tags=tags,
            )
            settings = Settings(
                folder=str(folder.files.spool),
                server=str(server.settings),
                doorbell=None if self._doorbell is None else str(self._doorbell),
                run=known,
            )
            content = handover(address, run=run, settings=settings)
        except (MlwsError, OSError) as error:
            # The job is worth more than its record.
            _log.warning("Job %s is not recorded in MLflow: %s", job.id, error)
            content = no_handover(str(error))
        folder.give_tracking(content)

    def _end(self, job: Job, folder: AttemptFolder, ending: Ending, lock: Lock | None) -> None:
        run = read_identity(folder.files.spool)
        if run is None:
            return  # it was not even begun
        with RunRecord(folder.files.spool, run) as record:
            try:
                source = self._source(job, folder)
                if source is not None:
                    record.source(job.spec.path or "notebook.ipynb", source)
                if lock is not None:
                    record.packages([f"# Python {lock.python}", *lock.packages])
                if folder.files.notebook.exists():
                    record.notebook(folder.files.notebook)
            finally:
                # The status last: once it says FINISHED, all is there.
                record.end(status=ending.status, at=ending.at)

    def _source(self, job: Job, folder: AttemptFolder) -> Path | None:
        """Return the notebook or script as it was submitted."""
        spec = job.spec
        if spec.notebook is not None:
            return self._blobs.path(spec.notebook)
        if spec.kind is not JobKind.SCRIPT or spec.folder is None or spec.path is None:
            return None
        path = (folder.files.work if job.has_snapshot else Path(spec.folder)) / spec.path
        return path if path.is_file() else None


def _tag(folder: AttemptFolder, tags: dict[str, str]) -> None:
    run = read_identity(folder.files.spool)
    if run is not None:
        with RunRecord(folder.files.spool, run) as record:
            record.tags(tags)
