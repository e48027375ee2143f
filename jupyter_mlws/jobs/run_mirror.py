"""The MLflow run of an attempt that is followed: begun beside it, its metrics mirrored into the job."""

from __future__ import annotations

import asyncio
import time

from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.roster import Roster

_METRICS_SECONDS = 2.0


class RunMirror:
    """Keeps a job and its run alike while the attempt goes on. Nothing waits for it."""

    def __init__(self, roster: Roster, recorder: Recorder) -> None:
        self._roster = roster
        self._recorder = recorder

    def begin(self, following: Following) -> None:
        """Create the run and tell the worker of it, if MLflow is there to be told."""
        if self._recorder.records:
            following.recording = following.beside.do(self._begin(following))

    def read_metrics(self, following: Following) -> None:
        """Read the metrics, if they were not read just now; one request at a time."""
        run_id, now = following.progress.job.run_id, time.monotonic()
        if run_id is None or now - following.metrics_read < _METRICS_SECONDS:
            return
        if following.metrics is None or following.metrics.done():
            following.metrics_read = now
            following.metrics = following.beside.do(self._update_metrics(following, run_id))

    async def _begin(self, following: Following) -> None:
        progress = following.progress
        run_id = await self._recorder.begin(progress.job, progress.attempt, following.folder)
        if run_id is not None:
            await self._roster.change(following, run_id=run_id)
            following.beside.do(self._recorder.describe(progress.job, run_id))

    async def _update_metrics(self, following: Following, run_id: str) -> None:
        metrics = await self._recorder.metrics(run_id)
        if metrics is not None and metrics != following.progress.job.metrics and following.ending is None:
            await self._roster.change(following, metrics=metrics)


async def settled(task: asyncio.Task[None] | None, *, seconds: float) -> bool:
    """Wait at most `seconds` for a task; False when it was called off then. What it raises is not raised."""
    if task is None:
        return True
    await asyncio.wait({task}, timeout=seconds)
    if task.done():
        return True
    task.cancel()
    return False
