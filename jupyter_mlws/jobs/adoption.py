"""What a server finds when it begins to lead: attempts that are under way, and folders that no job owns."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from jupyter_mlws.jobs.ending import NEVER_BEGAN, Finisher
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.log import last_events
from jupyter_mlws.jobs.progress import Ending, Progress, run_seconds
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.jobs.unused_blobs import in_snapshots
from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.errors import ErrorInfo, MlwsError
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.epoch import LeaseLost
from jupyter_mlws.store.layout import Layout

_ORPHAN_SECONDS = 3600.0  # a job is being submitted while its folder is younger
_log = logging.getLogger(__name__)


class Adoption:
    """Takes over from the server that led before, which may have died at any moment."""

    def __init__(self, *, roster: Roster, layout: Layout, blobs: Blobs, finisher: Finisher) -> None:
        self._roster = roster
        self._layout = layout
        self._blobs = blobs
        self._finisher = finisher

    async def adopt_all(self) -> None:
        """Follow every attempt that the database believes to be under way. Raises the errors of the store."""
        for job in await self._roster.records.read(rows.active):
            try:
                await self._adopt(job)
            except LeaseLost:
                raise
            except Exception:
                # It stays as it is, for the next take-over: to call it failed may be untrue.
                _log.exception("The job %s cannot be followed.", job.id)

    async def sweep(self) -> None:
        """Remove what nobody needs: folders without a job, uploads that broke off, blobs of jobs deleted."""
        folders = await asyncio.to_thread(_old_folders, self._layout)
        if folders:
            known = await self._roster.records.read(rows.ids)
            for folder in folders:
                if folder.name not in known:
                    _log.info("The folder %s belongs to no job and is removed.", folder)
                    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await asyncio.to_thread(self._blobs.sweep)
        needed = await self._roster.records.read(rows.hashes)
        needed |= await asyncio.to_thread(in_snapshots, self._layout)
        if removed := await asyncio.to_thread(self._blobs.collect, needed):
            _log.info("%s blobs that no job needs any more were removed.", removed)

    async def _adopt(self, job: Job) -> None:
        attempts = await self._roster.records.read(lambda tx: rows.attempts(tx, job.id))
        newest = attempts[-1]
        folder = AttemptFolder(AttemptFiles(self._layout.absolute(newest.folder)))
        progress = Progress(job, newest, seconds_before=sum(map(run_seconds, attempts[:-1])))
        # The last event may have been read by the server before, and its end not been written.
        events = await asyncio.to_thread(last_events, folder.files.events, job.offset)
        following = Following(progress.advance(events, offset=job.offset), folder)
        self._roster.add(following)
        # With a pid in the row it began for certain, though its folder may be gone since.
        if newest.pid is None and await asyncio.to_thread(folder.forestall):
            error = ErrorInfo(code=NEVER_BEGAN, message="The server ended before the attempt began.")
            following.worker_ended = True
            self._finisher.finish(following, Ending(JobStatus.FAILED, datetime.now(UTC), error))


def _old_folders(layout: Layout) -> list[Path]:
    """Return the folders of jobs that were not changed within the last hour."""
    old = []
    for folder in layout.jobs.iterdir() if layout.jobs.is_dir() else ():
        try:
            if layout.job(folder.name) == folder and time.time() - folder.stat().st_mtime > _ORPHAN_SECONDS:
                old.append(folder)
        except (MlwsError, OSError):
            continue  # not of ours, or removed just now
    return old
