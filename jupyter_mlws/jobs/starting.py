"""How jobs that wait are started: chosen from the queue, given an attempt, launched."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.roster import Computes
from jupyter_mlws.compute.slots import full, less
from jupyter_mlws.jobs import progress as states
from jupyter_mlws.jobs.ending import Finisher
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.launch import Launcher
from jupyter_mlws.jobs.progress import Ending
from jupyter_mlws.jobs.queue import Choice, choose
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.model.errors import ErrorInfo, MlwsError
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.epoch import LeaseLost
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.transaction import Transaction

# Of the jobs that wait, those at the head of the queue: how many are looked at when something was freed, how
# many are told from time to time why they wait, and how many are considered where those leave something free.
_FIRST, _TOLD, _CONSIDERED = 16, 50, 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Look:
    queued: list[Job]
    """In the order in which they are to start."""
    computes: dict[str, ComputeBackend]
    beyond: set[str]
    """Computes for which more jobs wait than are looked at."""


class Starter:
    """Starts jobs as their turn comes."""

    def __init__(
        self,
        *,
        roster: Roster,
        layout: Layout,
        computes: Computes,
        launcher: Launcher,
        recorder: Recorder,
        finisher: Finisher,
    ) -> None:
        self._roster = roster
        self._layout = layout
        self._computes = computes
        self._launcher = launcher
        self._recorder = recorder
        self._finisher = finisher

    async def start_waiting(self, *, tell: bool) -> None:
        """Start what fits now, and `tell` the others why they wait. Raises the errors of the store."""
        look = await self._look(_TOLD if tell else _FIRST)
        choice = self._choose(look)
        if any(name in choice.left and not full(choice.left[name]) for name in look.beyond):
            # What comes first may wait for something that others do not need.
            look = await self._look(_CONSIDERED)
            choice = self._choose(look)
        for job in choice.start:
            await self._start(job, look.computes[job.spec.compute])
        if tell:
            await self._tell(look.queued, choice)

    async def _look(self, limit: int) -> _Look:
        def read(tx: Transaction) -> _Look:
            queued = rows.queued(tx, limit=limit)
            waiting = Counter(rows.waiting(tx) if len(queued) == limit else {})
            waiting.subtract(job.spec.compute for job in queued)
            beyond = {name for name, number in waiting.items() if number > 0}
            return _Look(queued, self._computes.seen(tx), beyond)

        return await self._roster.records.read(read)

    def _choose(self, look: _Look) -> Choice:
        # An attempt that is being ended still has its row: wait until it is written.
        ready = [job for job in look.queued if job.id not in self._roster and job.wanted is Wanted.RUN]
        free = {
            name: less(each.capacity, self._roster.taken(name, of=each.capacity))
            for name, each in look.computes.items()
        }
        return choose(ready, free)

    async def _tell(self, queued: list[Job], choice: Choice) -> None:
        reasons = {
            job.id: {"message": choice.waiting[job.id]}
            for job in queued[:_TOLD]
            if job.id in choice.waiting and job.message != choice.waiting[job.id]
        }
        if reasons:
            await self._roster.records.change_queued(reasons, epoch=self._roster.epoch)

    async def _start(self, job: Job, compute: ComputeBackend) -> None:
        number = job.attempt + 1
        files = self._layout.attempt(job.id, number)
        relative = self._layout.relative(files.folder)
        progress = states.started(
            job,
            number=number,
            folder=relative,
            run_id=self._recorder.run_id(job, number),
            now=datetime.now(UTC),
        )
        taken = self._roster.taken_gpus(compute.name)
        _, gpus = compute.environment(gpus=job.spec.resources.gpus, taken=taken)
        progress = replace(progress, attempt=progress.attempt.model_copy(update={"gpus": gpus}))
        stored = await self._roster.records.save(
            progress.job, progress.attempt, epoch=self._roster.epoch, new_attempt=True
        )
        if stored is None:
            return
        following = Following(replace(progress, job=stored), AttemptFolder(files))
        self._roster.add(following)
        following.launching = asyncio.create_task(self._launch(following, compute))

    async def _launch(self, following: Following, compute: ComputeBackend) -> None:
        """Launch an attempt; whatever happens, it is followed or ended afterwards."""
        job, attempt = following.progress.job, following.progress.attempt
        try:
            ref = await self._launcher.launch(
                job, attempt, following.folder, compute, say=partial(self._say, following)
            )
        except asyncio.CancelledError:
            if following.asked_to_cancel is None:
                raise
            await self._call_off(following)
        except Exception as error:
            if not isinstance(error, MlwsError | OSError):
                _log.exception("Job %s could not be started.", job.id)
            following.worker_ended = True
            self._finisher.finish(following, Ending(JobStatus.FAILED, datetime.now(UTC), _refused(error)))
        else:
            following.watch(ref, lambda: self._roster.ring(following.id))
            following.launching = None
            following.beside.do(self._recorder.describe(job, following.folder))

    async def _call_off(self, following: Following) -> None:
        """End an attempt that was canceled while it was launched: its worker may have begun just now."""
        if await asyncio.to_thread(following.folder.forestall):
            self._finisher.finish(following, Ending(JobStatus.CANCELED, datetime.now(UTC), None))
            return
        await asyncio.to_thread(following.folder.ask_to_cancel)
        following.launching = None  # it is found by what it writes
        self._roster.ring(following.id)

    async def _say(self, following: Following, text: str) -> None:
        try:
            await self._roster.change(following, message=text)
        except LeaseLost:
            raise
        except MlwsError as error:  # what is said is not worth the job
            _log.warning("Job %s could not say %r: %s", following.id, text, error)


def _refused(error: Exception) -> ErrorInfo:
    if isinstance(error, MlwsError):
        return error.info
    if isinstance(error, OSError):
        return ErrorInfo(
            code="launch_failed",
            message=f"The attempt could not be laid ready: {error.strerror or error} ({error.filename}).",
            hint="See whether the disk is full, or the workspace read-only.",
        )
    return ErrorInfo(
        code="launch_failed",
        message=f"The attempt could not be laid ready: {type(error).__name__}: {error}.",
        hint="What happened is in the server's log.",
    )
