"""What users do with jobs: submit, look, cancel, run again, delete. Whoever leads does the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from jupyter_mlws.compute.roster import Computes, unknown
from jupyter_mlws.jobs.beside import Beside
from jupyter_mlws.jobs.comparison import comparison
from jupyter_mlws.jobs.folder import AttemptFolder, NothingThere
from jupyter_mlws.jobs.kernelspecs import Kernelspecs
from jupyter_mlws.jobs.long_polls import Hold, LongPolls
from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.jobs.rerun import rerun_spec
from jupyter_mlws.jobs.snapshot import HashCache, Limits, Snapshot, SnapshotTooLarge, take
from jupyter_mlws.jobs.submission import check
from jupyter_mlws.jobs.waiting import Waiting
from jupyter_mlws.model.answers import JobComparison
from jupyter_mlws.model.errors import Conflict, MlwsError
from jupyter_mlws.model.events import EventPage
from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Attempt, Job, JobKind, JobPage, JobPatch, JobSpec, Rerun
from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.store import audit, run_values
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.durable import make_folder, refusals, write_atomically
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.transaction import Transaction

_START_SECONDS = 0.2  # in which a job starts: what it need not wait for keeps out of its way
_log = logging.getLogger(__name__)


class JobEnded(Conflict):
    """What was asked for makes no sense for a job that has ended."""

    code = "job_ended"


class JobService:
    """The jobs of a workspace, for every server that serves it, leader or not."""

    def __init__(
        self,
        *,
        records: JobRecords,
        layout: Layout,
        blobs: Blobs,
        computes: Computes,
        limits: Limits,
        waiting: Waiting,
        ring: Callable[[str], None],
    ) -> None:
        """`waiting` holds those who wait for a job, `ring` wakes the leader, wherever it is."""
        self._records = records
        self._layout = layout
        self._blobs = blobs
        self._computes = computes
        self._limits = limits
        self._ring = ring
        self._polls = LongPolls(records, layout=layout, waiting=waiting)
        self._hashes = HashCache()
        self._kernelspecs = Kernelspecs()
        self._beside = Beside("a submission", log=_log)

    async def close(self) -> None:
        """Wait for what is under way beside the answers."""
        await self._beside.finish()

    async def submit(self, spec: JobSpec, *, who: str) -> Job:
        """Accept a job: when this returns, the row, the blobs and the snapshot are on disk.

        Raises the errors of `submission.check`, and `SnapshotTooLarge` where a snapshot was asked for.
        """
        return await self._accept(spec, who=who, action="submit")

    async def _accept(self, spec: JobSpec, *, who: str, action: str) -> Job:
        spec, price = await self._checked(spec)
        id = new_id()
        spec, has_snapshot, message = await self._snapshot(id, spec)
        job = Job(
            id=id,
            spec=spec,
            status=JobStatus.QUEUED,
            created_by=who,
            created_at=datetime.now(UTC),
            price_per_hour=price,
            has_snapshot=has_snapshot,
            message=message,
        )
        await self._insert(job, who=who, action=action)
        if spec.kind in (JobKind.CELL, JobKind.FUNCTION) and spec.folder and not has_snapshot:
            self._beside.do(self._snapshot_beside(job))
        return job

    async def _checked(self, spec: JobSpec) -> tuple[JobSpec, float]:
        """Return `spec` with its kernel decided, and what an hour costs. Raises the errors of `check`."""

        def run(tx: Transaction) -> tuple[JobSpec, float]:
            computes = self._computes.seen(tx)
            checked = check(spec, blobs=self._blobs, computes=computes, kernelspecs=self._kernelspecs)
            return checked, computes[checked.compute].price_per_hour

        return await self._records.read(run)

    async def get(self, id: str, *, hold: Hold | None = None) -> Job:
        """Return a job; with a `hold` once it has ended, or the time is over. Raises `NotFound`."""
        return await self._polls.job(id, hold or Hold())

    async def page(self, query: JobQuery) -> JobPage:
        """Return a page of jobs."""
        return await self._records.read(lambda tx: rows.page(tx, query))

    async def compare(self, ids: Sequence[str]) -> JobComparison:
        """Return jobs side by side with their metrics and parameters. Raises `NotFound`."""

        def run(tx: Transaction) -> JobComparison:
            found, values = [rows.get(tx, id) for id in ids], run_values.read(tx, ids)
            return comparison(found, values)

        return await self._records.read(run)

    async def counts(self) -> dict[str, int]:
        """Return the number of jobs by status."""
        return await self._records.read(rows.counts)

    async def cancel(self, id: str, *, who: str) -> Job:
        """Ask for the end of a job; its output so far is kept. Raises `JobEnded`, `NotFound`."""

        def run(tx: Transaction) -> Job:
            job = rows.get(tx, id)
            if job.status.is_terminal:
                raise JobEnded(
                    f"The job {job.spec.name!r} is {job.status} already.", hint="Nothing to cancel."
                )
            return self._wish(tx, job, Wanted.CANCEL, who=who, action="cancel")

        return await self._changed(run, id)

    async def delete(self, id: str, *, who: str) -> None:
        """Ask for a job to be gone, with its outputs; one that runs is canceled first. Raises `NotFound`.

        Its MLflow run stays: it is the record.
        """

        def run(tx: Transaction) -> Job:
            return self._wish(tx, rows.get(tx, id), Wanted.DELETE, who=who, action="delete")

        await self._changed(run, id)

    async def rerun(self, id: str, changes: Rerun, *, who: str) -> Job:
        """Submit a job exactly as it was, but for `changes`. Raises what `submit` raises, and `NotFound`."""
        original = await self.get(id)
        spec = rerun_spec(original, changes, environment=original.environment)
        if not original.has_snapshot:
            return await self._accept(spec, who=who, action="rerun")
        spec, price = await self._checked(_without_folder(spec))
        spec = spec.model_copy(update={"folder": original.spec.folder})
        job = Job(
            id=new_id(),
            spec=spec,
            status=JobStatus.QUEUED,
            created_by=who,
            created_at=datetime.now(UTC),
            price_per_hour=price,
            has_snapshot=True,
        )
        await asyncio.to_thread(self._copy_snapshot, original.id, job.id)
        await self._insert(job, who=who, action="rerun")
        return job

    async def patch(self, id: str, changes: JobPatch, *, who: str) -> Job:
        """Change a job's name, or the priority of one that waits. Raises `JobEnded`, `NotFound`."""

        def run(tx: Transaction) -> Job:
            job = rows.get(tx, id)
            if changes.priority is not None and job.status is not JobStatus.QUEUED:
                raise JobEnded(
                    f"The job {job.spec.name!r} is {job.status}: its priority has no meaning any more.",
                    hint="A priority can be changed while the job waits.",
                )
            spec = job.spec.model_copy(update=changes.model_dump(exclude_none=True))
            changed = job.model_copy(update={"spec": spec})
            rows.save(tx, changed)
            audit.record(tx, who, "change", "job", id, _summary(job), _summary(changed))
            return changed

        return await self._changed(run, id)

    async def attempts(self, id: str) -> list[Attempt]:
        """Return a job's attempts, oldest first. Raises `NotFound`."""

        def run(tx: Transaction) -> list[Attempt]:
            rows.get(tx, id)
            return rows.attempts(tx, id)

        return await self._records.read(run)

    async def events(
        self,
        id: str,
        *,
        attempt: int | None = None,
        offset: int = 0,
        tail: int | None = None,
        limit: int = 1_000_000,
        hold: Hold | None = None,
    ) -> EventPage:
        """Return a page of an attempt's event log, of about `limit` bytes (see `log.read_page`).

        With a `hold` it comes when there is something new; see `LongPolls.events`.
        """
        return await self._polls.events(
            id, attempt=attempt, offset=offset, tail=tail, limit=limit, hold=hold or Hold()
        )

    async def result_path(self, id: str, name: str) -> Path:
        """Return the pack of a result. Raises `NothingThere` with the reason."""
        job = await self.get(id)
        item = next((item for item in job.results if item.name == name), None)
        path = None if not job.attempt else await asyncio.to_thread(self._folder(job).result, name)
        if item is not None and item.error is None and path is not None:
            return path
        if item is not None and item.error is not None:
            raise NothingThere(f"{name!r} could not be brought back: {item.error}")
        if not job.status.is_terminal:
            raise NothingThere(
                f"The job {job.spec.name!r} is {job.status}: it has no results yet.", hint="Wait for its end."
            )
        there = ", ".join(item.name for item in job.results if item.error is None) or "nothing"
        raise NothingThere(
            f"The job {job.spec.name!r} has no result {name[:100]!r}.", hint=f"It has: {there}."
        )

    async def output_path(self, id: str, attempt: int, file: str) -> Path:
        """Return a large value of a rich output. Raises `NothingThere`."""
        await self.get(id)
        folder = AttemptFolder(self._layout.attempt(id, attempt))
        path = await asyncio.to_thread(folder.output, file)
        if path is None:
            raise NothingThere(f"The job has no output file {file[:100]!r}.")
        return path

    async def notebook_path(self, id: str) -> Path:
        """Return the executed notebook, as far as it has come. Raises `NothingThere`."""
        job = await self.get(id)
        path = self._folder(job).files.notebook if job.attempt else None
        if path is None or not await asyncio.to_thread(path.is_file):
            raise NothingThere(
                f"The job {job.spec.name!r} has no executed notebook yet.", hint="Wait until it runs."
            )
        return path

    async def input_path(self, id: str) -> Path:
        """Return the pack of the variables that were sent. Raises `NothingThere`."""
        job = await self.get(id)
        if job.spec.inputs is None:
            raise NothingThere(f"Nothing was sent with the job {job.spec.name!r}.")
        return self._blobs.path(job.spec.inputs.blob)

    def _folder(self, job: Job) -> AttemptFolder:
        return AttemptFolder(self._layout.attempt(job.id, job.attempt))

    async def _snapshot(self, id: str, spec: JobSpec) -> tuple[JobSpec, bool, str | None]:
        """Take the snapshot that the job runs in; none if the folder is too large and it was not wanted."""
        if not spec.in_snapshot or spec.folder is None:
            return spec, False, None
        try:
            await asyncio.to_thread(self._take, id, spec)
        except SnapshotTooLarge as error:
            if spec.snapshot:
                raise
            live = spec.model_copy(update={"snapshot": False})
            return live, False, f"Runs in the live folder. {error.message}"
        return spec, True, None

    async def _snapshot_beside(self, job: Job) -> None:
        """Keep the folder of a cell for a later re-run; the cell itself runs in the live folder meanwhile."""
        await asyncio.sleep(_START_SECONDS)
        try:
            await asyncio.to_thread(self._take, job.id, job.spec)
        except (MlwsError, OSError) as error:
            _log.info("No snapshot of %s for job %s: %s", job.spec.folder, job.id, error)
            return

        def run(tx: Transaction) -> None:
            stored = rows.find(tx, job.id)
            if stored is not None:
                rows.save(tx, stored.model_copy(update={"has_snapshot": True}))

        await self._records.write(run)

    def _take(self, id: str, spec: JobSpec) -> None:
        assert spec.folder is not None
        must = spec.path if spec.kind is JobKind.SCRIPT else None
        snapshot = take(Path(spec.folder), self._blobs, limits=self._limits, cache=self._hashes, must=must)
        self._write_snapshot(id, snapshot)

    def _copy_snapshot(self, original: str, id: str) -> None:
        snapshot = Snapshot.model_validate_json(self._layout.snapshot(original).read_text(encoding="utf-8"))
        # The original may be deleted just now, and its files with it.
        missing = [file.path for file in snapshot.files if not self._blobs.has(file.sha256)]
        if missing:
            raise NothingThere(f"The file {missing[0]!r} of the job's snapshot is not there any more.")
        self._write_snapshot(id, snapshot)

    def _write_snapshot(self, id: str, snapshot: Snapshot) -> None:
        path = self._layout.snapshot(id)
        with refusals(path):
            make_folder(path.parent)
            write_atomically(path, snapshot.model_dump_json().encode())

    async def _insert(self, job: Job, *, who: str, action: str) -> None:
        def run(tx: Transaction) -> None:
            # Again, now under the lock: it may have been deleted meanwhile.
            computes = self._computes.seen(tx)
            if job.spec.compute not in computes:
                raise unknown(job.spec.compute, computes)
            rows.insert(tx, job)
            audit.record(tx, who, action, "job", job.id, None, _summary(job))

        await self._records.write(run, durable=True)
        self._ring(job.id)

    def _wish(self, tx: Transaction, job: Job, wanted: Wanted, *, who: str, action: str) -> Job:
        wished = job.model_copy(update={"wanted": wanted})
        rows.save(tx, wished)
        audit.record(tx, who, action, "job", job.id, _summary(job), _summary(wished))
        return wished

    async def _changed(self, run: Callable[[Transaction], Job], id: str) -> Job:
        job = await self._records.write(run)
        self._ring(id)
        return job


def _without_folder(spec: JobSpec) -> JobSpec:
    """Return `spec` as one that does not depend on the live folder, which a re-run does not need."""
    return spec.model_copy(update={"folder": None})


def _summary(job: Job) -> dict[str, object]:
    return {
        "name": job.spec.name,
        "status": job.status,
        "wanted": job.wanted,
        "priority": job.spec.priority,
        "compute": job.spec.compute,
    }
