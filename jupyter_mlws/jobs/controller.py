"""The jobs' part of the reconcile loop: starts what waits, follows what runs, ends what ended or died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.process import ProcessRef
from jupyter_mlws.compute.slots import asked, less, total
from jupyter_mlws.jobs import progress as states
from jupyter_mlws.jobs.ending import NEVER_BEGAN, Finisher
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.launch import Launcher
from jupyter_mlws.jobs.log import is_output, parse, read_lines
from jupyter_mlws.jobs.progress import Ending, Progress
from jupyter_mlws.jobs.queue import choose
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.records import JobRecords, meanwhile
from jupyter_mlws.model.compute import Capacity
from jupyter_mlws.model.errors import ErrorInfo, MlwsError
from jupyter_mlws.model.events import LogEvent
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.layout import AttemptLayout, Layout

_READ_BYTES = 4 << 20
_METRICS_SECONDS = 2.0
_CONSIDERED = 500  # of the jobs that wait, those at the head of the queue
_BEGIN_SECONDS = 30.0  # a worker that has not written its pid by then never will
_CANCEL_SECONDS = 30.0  # longer than the worker's own interrupt, terminate and kill together
_log = logging.getLogger(__name__)


class JobController:
    """Leads the jobs of one workspace."""

    def __init__(
        self,
        *,
        records: JobRecords,
        layout: Layout,
        blobs: Blobs,
        computes: Mapping[str, ComputeBackend],
        launcher: Launcher,
        recorder: Recorder,
        ring: Callable[[str], None],
    ) -> None:
        """`ring` makes the loop look at a job again at once."""
        self._records = records
        self._layout = layout
        self._computes = computes
        self._launcher = launcher
        self._recorder = recorder
        self._finisher = Finisher(records=records, blobs=blobs, recorder=recorder)
        self._ring = ring
        self._epoch = 0
        self._followed: dict[str, Following] = {}

    async def take_over(self, epoch: int) -> None:
        """Adopt every attempt that the database believes to be under way."""
        self._epoch = epoch
        for job in await self._records.read(rows.active):
            await self._adopt(job)

    async def step(self, rung: frozenset[str]) -> None:
        """Mend what differs between the wishes, the rows, the logs and the processes."""
        await self._settle_wishes()
        looked_at = [self._followed[id] for id in rung if id in self._followed]
        await asyncio.gather(*(self._look(f) for f in looked_at or list(self._followed.values())))
        await self._start_waiting()

    async def let_go(self) -> None:
        """Follow nothing more; workers run on."""
        for following in self._followed.values():
            following.close()
        self._followed.clear()

    async def _adopt(self, job: Job) -> None:
        attempts = await self._records.read(lambda tx: rows.attempts(tx, job.id))
        newest = attempts[-1]
        before = sum(states.run_seconds(attempt) for attempt in attempts[:-1])
        folder = AttemptFolder(AttemptLayout(self._layout.absolute(newest.folder)))
        following = Following(Progress(job, newest, seconds_before=before), folder)
        self._followed[job.id] = following
        if await asyncio.to_thread(folder.forestall):
            error = ErrorInfo(code=NEVER_BEGAN, message="The server ended before the attempt began.")
            following.worker_ended = True
            self._finish(following, Ending(JobStatus.FAILED, datetime.now(UTC), error))
            return
        if not await asyncio.to_thread(folder.files.tracking.exists):
            following.recording = following.beside(self._begin_recording(following))

    async def _look(self, following: Following) -> None:
        """Read on in the log, and see whether the worker lives."""
        if following.ending is not None:
            return
        dead = following.worker_ended  # before the log is read: what a dead worker wrote is all there
        await self._read_on(following)
        progress = following.progress
        if progress.ending is not None:
            self._finish(following, progress.ending)
        elif dead:
            await self._bury(following)
        elif following.ref is None and following.launching is None:
            await self._find_worker(following)
        else:
            self._enforce_cancel(following)
            self._read_metrics(following)

    async def _read_on(self, following: Following) -> None:
        while True:
            offset = following.progress.job.offset
            events, reached = await asyncio.to_thread(_read_events, following.folder.files.events, offset)
            if reached == offset:
                return
            await self._save(following, following.progress.advance(events, offset=reached))

    async def _save(self, following: Following, progress: Progress) -> None:
        # What is seen is kept in memory first: tasks beside this one build upon it. Writes take turns,
        # and each writes the newest, so that none is overtaken by an older one.
        following.progress = progress
        async with following.writing:
            progress = following.progress
            stored = await self._records.save(progress.job, progress.attempt, epoch=self._epoch)
        if stored is not None:
            job = following.progress.job.model_copy(update=meanwhile(stored))
            following.progress = replace(following.progress, job=job)

    async def _change(self, following: Following, **changes: object) -> None:
        job = following.progress.job.model_copy(update=changes)
        await self._save(following, replace(following.progress, job=job))

    async def _find_worker(self, following: Following) -> None:
        """Find the process of an adopted attempt, which another server started."""
        ref = await asyncio.to_thread(following.folder.process)
        if ref is not None:
            following.watch(ref, lambda: self._ring(following.id))
        elif time.monotonic() - following.since > _BEGIN_SECONDS:
            following.worker_ended = True
            self._ring(following.id)

    async def _bury(self, following: Following) -> None:
        """End an attempt whose worker died without a last word: first its kernel, then the record."""
        attempt = following.progress.attempt
        if attempt.kernel_pid is not None and attempt.kernel_process_started is not None:
            ProcessRef(attempt.kernel_pid, attempt.kernel_process_started).kill_group()
        now = datetime.now(UTC)
        if following.progress.job.wanted is not Wanted.RUN:
            self._finish(following, Ending(JobStatus.CANCELED, now, None))
            return
        said = await asyncio.to_thread(following.folder.worker_log_tail)
        error = ErrorInfo(
            code="worker_died",
            message="The worker process died" + (f": {said[-500:]}" if said else "."),
            hint="It was killed, or the machine ran out of memory or was restarted. Run it again, or ask "
            "for retries.",
        )
        self._finish(following, Ending(JobStatus.FAILED, now, error))

    def _finish(self, following: Following, ending: Ending) -> None:
        if following.ending is None:
            following.ending = asyncio.create_task(self._end(following, ending))
            following.ending.add_done_callback(lambda task: self._ended(following, task))

    def _ended(self, following: Following, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if task.exception() is not None:
            _log.warning("The end of job %s is tried again: %s", following.id, task.exception())
            following.ending = None
        else:
            following.close()
            self._followed.pop(following.id, None)
        self._ring(following.id)

    async def _end(self, following: Following, ending: Ending) -> None:
        if following.recording is not None:
            await following.recording
        changes, trouble = await self._finisher.record(following.progress, following.folder, ending)
        job = following.progress.job.model_copy(update=changes)  # it may have gone on meanwhile
        progress = replace(following.progress, job=job)
        await self._save(following, await self._finisher.close(progress, ending, trouble))

    async def _settle_wishes(self) -> None:
        for job in await self._records.read(rows.unsettled):
            following = self._followed.get(job.id)
            if following is not None:
                await self._ask_to_cancel(following)
            elif job.status is JobStatus.QUEUED:
                await self._cancel_queued(job)
            elif job.wanted is Wanted.DELETE and job.status.is_terminal:
                await self._remove(job)

    async def _ask_to_cancel(self, following: Following) -> None:
        if following.asked_to_cancel is not None:
            return
        following.asked_to_cancel = time.monotonic()
        if following.launching is not None and following.ref is None:
            # Installing packages may take minutes; nothing of the user's runs yet.
            following.launching.cancel()
            return
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(following.folder.ask_to_cancel)
        if following.ref is not None:
            following.ref.send(signal.SIGTERM)
        await self._change(following, message="Canceling")

    def _enforce_cancel(self, following: Following) -> None:
        """Kill a worker that does not heed its cancellation, stopped or hung as it may be."""
        asked_at = following.asked_to_cancel
        if asked_at is not None and time.monotonic() - asked_at > _CANCEL_SECONDS and following.ref:
            following.ref.kill_group()

    async def _cancel_queued(self, job: Job) -> None:
        end = {"status": JobStatus.CANCELED, "ended_at": datetime.now(UTC), "message": None}
        await self._records.change_queued(job.id, end, epoch=self._epoch)
        self._ring(job.id)

    async def _remove(self, job: Job) -> None:
        # The folder first: a row without a folder would be a job that lost its output.
        await asyncio.to_thread(shutil.rmtree, self._layout.job(job.id), ignore_errors=True)
        await self._records.write(lambda tx: rows.delete(tx, job.id), epoch=self._epoch)

    def _read_metrics(self, following: Following) -> None:
        run_id = following.progress.job.run_id
        now = time.monotonic()
        if run_id is not None and now - following.metrics_read > _METRICS_SECONDS:
            following.metrics_read = now
            following.beside(self._update_metrics(following, run_id))

    async def _update_metrics(self, following: Following, run_id: str) -> None:
        metrics = await self._recorder.metrics(run_id)
        if metrics is not None and metrics != following.progress.job.metrics and following.ending is None:
            await self._change(following, metrics=metrics)

    async def _start_waiting(self) -> None:
        queued = await self._records.read(partial(rows.queued, limit=_CONSIDERED))
        if not queued:
            return
        # An attempt that is being ended still has its row: wait until it is written.
        ready = [job for job in queued if job.id not in self._followed and job.wanted is Wanted.RUN]
        choice = choose(ready, {name: self._free(name) for name in self._computes})
        for job in choice.start:
            await self._start(job)
        for job in ready:
            reason = choice.waiting.get(job.id)
            if reason is not None and reason != job.message:
                await self._records.change_queued(job.id, {"message": reason}, epoch=self._epoch)

    def _free(self, name: str) -> Capacity:
        taken = [
            asked(f.progress.job.spec.resources)
            for f in self._followed.values()
            if f.progress.job.spec.compute == name and f.holds_slots
        ]
        return less(self._computes[name].capacity, total(taken))

    async def _start(self, job: Job) -> None:
        number = job.attempt + 1
        files = self._layout.attempt(job.id, number)
        relative = self._layout.relative(files.folder)
        progress = states.started(job, number=number, folder=relative, now=datetime.now(UTC))
        compute = self._computes[job.spec.compute]
        taken = {gpu for f in self._followed.values() if f.holds_slots for gpu in f.progress.attempt.gpus}
        _, gpus = compute.environment(gpus=job.spec.resources.gpus, taken=taken)
        progress = replace(progress, attempt=progress.attempt.model_copy(update={"gpus": gpus}))
        stored = await self._records.save(progress.job, progress.attempt, epoch=self._epoch, new_attempt=True)
        if stored is None:
            return
        following = Following(progress, AttemptFolder(files))
        self._followed[job.id] = following
        following.launching = asyncio.create_task(self._launch(following, compute))

    async def _launch(self, following: Following, compute: ComputeBackend) -> None:
        job, attempt = following.progress.job, following.progress.attempt

        async def say(text: str) -> None:
            await self._change(following, message=text)

        try:
            ref = await self._launcher.launch(job, attempt, following.folder, compute, say=say)
        except asyncio.CancelledError:
            if following.asked_to_cancel is None:
                raise
            self._finish(following, Ending(JobStatus.CANCELED, datetime.now(UTC), None))
            return
        except (MlwsError, OSError) as error:
            info = error.info if isinstance(error, MlwsError) else _refused(error)
            following.worker_ended = True
            self._finish(following, Ending(JobStatus.FAILED, datetime.now(UTC), info))
            return
        following.watch(ref, lambda: self._ring(following.id))
        following.launching = None
        if self._recorder.records:
            following.recording = following.beside(self._begin_recording(following))

    async def _begin_recording(self, following: Following) -> None:
        progress = following.progress
        run_id = await self._recorder.begin(progress.job, progress.attempt, following.folder)
        if run_id is not None:
            await self._change(following, run_id=run_id)
            await self._recorder.describe(progress.job, run_id)


def _read_events(path: Path, offset: int) -> tuple[list[LogEvent], int]:
    lines, reached = read_lines(path, offset=offset, limit=_READ_BYTES)
    return [parse(line) for line in lines if not is_output(line)], reached


def _refused(error: OSError) -> ErrorInfo:
    return ErrorInfo(
        code="launch_failed",
        message=f"The attempt could not be laid ready: {error.strerror or error} ({error.filename}).",
        hint="See whether the disk is full, or the workspace read-only.",
    )
