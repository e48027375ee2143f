"""How an attempt's end becomes the job's: recorded in MLflow, then ended, or queued for another attempt."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from jupyter_mlws.environments.lock import Lock
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.progress import Ending, Progress, ended, queued_again
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.model.job import Attempt
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.blobs import Blobs

NEVER_BEGAN = "never_began"
"""Code of the error of an attempt whose worker never started; it does not count as a try."""


def next_try(attempts: list[Attempt], ending: Ending, *, retries: int) -> str | None:
    """Return why there will be another attempt after `attempts`, in words; None when there will not. Pure."""
    if ending.status is not JobStatus.FAILED:
        return None
    if ending.error is not None and ending.error.code == NEVER_BEGAN:
        return "Waits for its turn again: the server ended before it began"
    tries = sum(1 for each in attempts if each.error is None or each.error.code != NEVER_BEGAN)
    return None if tries > retries else f"Waits for try {tries + 1} of {retries + 1}"


class Finisher:
    """Ends attempts. Each part may be done again after a crash in the middle: the row is written last."""

    def __init__(self, *, records: JobRecords, blobs: Blobs, recorder: Recorder) -> None:
        self._records = records
        self._blobs = blobs
        self._recorder = recorder

    async def record(
        self, progress: Progress, folder: AttemptFolder, ending: Ending
    ) -> tuple[dict[str, object], str | None]:
        """Complete the run in MLflow; return what changed of the job, and a sentence if that failed."""
        changes: dict[str, object] = {}
        lock = None if progress.environment is None else Lock.seen(progress.environment)
        if lock is not None:
            content = lock.model_dump_json().encode()
            changes["environment"] = await asyncio.to_thread(self._blobs.put, content)
        trouble = await self._recorder.end(progress.job, folder, ending, lock)
        if progress.job.run_id is not None:
            metrics = await self._recorder.metrics(progress.job.run_id)
            changes |= {} if metrics is None else {"metrics": metrics}
        return changes, trouble

    async def close(self, progress: Progress, ending: Ending, trouble: str | None) -> Progress:
        """Return the records of the job ended, or waiting for its next attempt."""
        job = progress.job
        stored = await self._records.read(lambda tx: rows.find(tx, job.id))
        if stored is not None and stored.wanted is Wanted.RUN:
            attempts = await self._records.read(lambda tx: rows.attempts(tx, job.id))
            again = next_try(attempts, ending, retries=job.spec.retries)
            if again is not None:
                return queued_again(progress, ending, message=again)
        over = ended(progress, ending)
        return replace(over, job=over.job.model_copy(update={"message": trouble}))
