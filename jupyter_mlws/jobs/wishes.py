"""What users want of jobs: those to be canceled are told so, those to be deleted are removed."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import time
from datetime import UTC, datetime
from functools import partial

from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.layout import Layout

_AT_ONCE = 100  # wishes that one step looks at
_REMOVALS = 4  # folders that are removed at a time
_log = logging.getLogger(__name__)


class Wishes:
    """Fulfils the wishes that the rows hold."""

    def __init__(self, *, roster: Roster, layout: Layout) -> None:
        self._roster = roster
        self._layout = layout
        self._removals: dict[str, asyncio.Task[None]] = {}

    async def settle(self) -> None:
        """Begin what fulfils the wishes; nothing here takes long. Raises the errors of the store."""
        queued = []
        for job in await self._roster.records.read(partial(rows.unsettled, limit=_AT_ONCE)):
            following = self._roster.find(job.id)
            if following is not None:
                await self._ask_to_cancel(following)
            elif job.status is JobStatus.QUEUED:
                queued.append(job)
            elif job.wanted is Wanted.DELETE and job.status.is_terminal:
                self._remove(job)
        if queued:
            end = {"status": JobStatus.CANCELED, "ended_at": datetime.now(UTC), "message": None}
            await self._roster.records.change_queued(
                {job.id: end for job in queued}, epoch=self._roster.epoch
            )
            self._roster.ring(queued[0].id)

    def let_go(self) -> None:
        """Fulfil no more; what is half removed is removed by whoever leads next."""
        for task in self._removals.values():
            task.cancel()
        self._removals.clear()

    async def _ask_to_cancel(self, following: Following) -> None:
        if following.asked_to_cancel is not None or not following.holds_slots:
            return
        following.asked_to_cancel = time.monotonic()
        if following.launching is not None and following.ref is None:
            # Installing packages may take minutes; nothing of the user's runs yet.
            following.launching.cancel()
            return
        try:
            await asyncio.to_thread(following.folder.ask_to_cancel)
        except OSError as error:
            _log.warning("Job %s is told to end by a signal alone: %s", following.id, error)
        if following.ref is not None:
            following.ref.send(signal.SIGTERM)
        await self._roster.change(following, message="Canceling")

    def _remove(self, job: Job) -> None:
        if job.id not in self._removals and len(self._removals) < _REMOVALS:
            task = asyncio.create_task(self._removed(job.id))
            self._removals[job.id] = task
            task.add_done_callback(lambda task: self._done(job.id, task))

    async def _removed(self, id: str) -> None:
        # The folder first: a row without a folder would be a job that lost its output.
        await asyncio.to_thread(shutil.rmtree, self._layout.job(id), ignore_errors=True)
        await self._roster.records.write(lambda tx: rows.delete(tx, id), epoch=self._roster.epoch)

    def _done(self, id: str, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        self._removals.pop(id, None)
        if (error := task.exception()) is not None:
            _log.warning("The job %s could not be removed yet: %s", id, error)
        else:
            self._roster.ring(id)  # for the next one
