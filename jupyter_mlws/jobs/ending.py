"""How an attempt's end becomes the job's: recorded in MLflow, then ended, or queued for another attempt."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from jupyter_mlws.environments.lock import Lock
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.progress import Ending, Progress, ended, queued_again
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.jobs.run_mirror import RunMirror
from jupyter_mlws.jobs.shipped import AWAY
from jupyter_mlws.jobs.shipping import Shipping
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import Attempt, Job
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.blobs import Blobs

NEVER_BEGAN = "never_began"
"""Code of the error of an attempt whose worker never started; it does not count as a try."""
_RECORD_SECONDS = 2.0  # that an ended job waits for MLflow to have its record
_AGAIN_SECONDS = 2.0
_log = logging.getLogger(__name__)


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

    def __init__(
        self, *, roster: Roster, blobs: Blobs, recorder: Recorder, mirror: RunMirror, shipping: Shipping
    ) -> None:
        self._roster = roster
        self._blobs = blobs
        self._recorder = recorder
        self._mirror = mirror
        self._shipping = shipping

    def finish(self, following: Following, ending: Ending) -> None:
        """Begin to end an attempt, once; then it is followed no more."""
        if following.ending is None:
            following.ending = asyncio.create_task(self._end(following, ending))
            following.ending.add_done_callback(lambda task: self._ended(following, ending, task))

    def _ended(self, following: Following, ending: Ending, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._roster.drop(following)
            self._roster.ring(following.id)
            return
        _log.warning("The end of job %s is tried again: %s", following.id, error)
        following.beside.do(self._again(following, ending))

    async def _again(self, following: Following, ending: Ending) -> None:
        await asyncio.sleep(_AGAIN_SECONDS)  # the disk is full, or the database locked: it takes time
        following.ending = None
        self.finish(following, ending)

    async def _end(self, following: Following, ending: Ending) -> None:
        changes, trouble = await self._record(following, ending)
        job = following.progress.job.model_copy(update=changes)  # it may have gone on meanwhile
        progress = replace(following.progress, job=job)
        await self._roster.save(following, await self._closed(progress, ending, trouble))

    async def _record(self, following: Following, ending: Ending) -> tuple[dict[str, object], str | None]:
        """Write the end of the run; return what changed of the job, and a sentence if there is one to say."""
        job, attempt = following.progress.job, following.progress.attempt
        changes, trouble, spooled = await asyncio.to_thread(self._write_end, following, job, ending)
        if job.run_id is None or not spooled:
            return changes, trouble
        # Its state is true whether or not MLflow answers; where it does, the record is complete with it.
        shipped = await self._shipping.recorded(job.id, attempt.number, seconds=_RECORD_SECONDS)
        if shipped is not None:
            return {**changes, "metrics": shipped.values.metrics}, trouble or shipped.refused
        return {**changes, "metrics": await self._mirror.finish(following)}, trouble or AWAY

    def _write_end(
        self, following: Following, job: Job, ending: Ending
    ) -> tuple[dict[str, object], str | None, bool]:
        """Write what is kept on the disk; return as `_record`, and whether there is anything for MLflow."""
        changes: dict[str, object] = {}
        seen = following.progress.environment
        lock = None if seen is None else Lock.seen(seen)
        if lock is not None:
            try:
                changes["environment"] = self._blobs.put(lock.model_dump_json().encode())
            except MlwsError as error:
                # A full disk: the job has ended all the same, and says so.
                _log.warning("The packages of job %s are not kept: %s", following.id, error)
        trouble = self._recorder.end(job, following.folder, ending, lock)
        return changes, trouble, following.folder.files.spool.is_dir()

    async def _closed(self, progress: Progress, ending: Ending, trouble: str | None) -> Progress:
        """Return the records of the job ended, or waiting for its next attempt."""
        job = progress.job
        stored, attempts = await self._roster.records.read(
            lambda tx: (rows.find(tx, job.id), rows.attempts(tx, job.id))
        )
        if stored is not None and stored.wanted is Wanted.RUN:
            again = next_try(attempts, ending, retries=job.spec.retries)
            if again is not None:
                return queued_again(progress, ending, message=again)
        elif ending.error is not None and ending.error.code == NEVER_BEGAN:
            ending = Ending(JobStatus.CANCELED, ending.at, None)
        over = ended(progress, ending)
        return replace(over, job=over.job.model_copy(update={"message": trouble}))
