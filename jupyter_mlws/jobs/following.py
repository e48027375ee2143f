"""One attempt under way, as the leading server follows it in memory; all of it can be had again from disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.progress import Progress
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.processes.watch import Watch

_log = logging.getLogger(__name__)


class Following:
    """The progress of an attempt, its worker's process, and the tasks that are under way for it."""

    def __init__(self, progress: Progress, folder: AttemptFolder) -> None:
        self.progress = progress
        self.folder = folder
        self.epoch = 0
        """Of the lead under which it is followed: what a task of an earlier one would write is void."""
        self.ref: ProcessRef | None = None
        self.worker_ended = False
        self.since = time.monotonic()
        """When it was begun or adopted, on the monotonic clock."""
        self.asked_to_cancel: float | None = None
        """When the worker was told to end, on the monotonic clock."""
        self.metrics_read = 0.0
        """When the metrics were asked for last, on the monotonic clock."""
        self.launching: asyncio.Task[None] | None = None
        self.recording: asyncio.Task[None] | None = None
        """The creation of the run in MLflow."""
        self.metrics: asyncio.Task[None] | None = None
        """The reading of the run's metrics."""
        self.writing = asyncio.Lock()
        self.ending: asyncio.Task[None] | None = None
        self.burying: asyncio.Task[None] | None = None
        """Ends what is left of an attempt whose worker died."""
        self.trouble: str | None = None
        """What went wrong when it was last looked at."""
        self._watch: Watch | None = None
        self._others: set[asyncio.Task[None]] = set()

    @property
    def id(self) -> str:
        """The job's id."""
        return self.progress.job.id

    @property
    def holds_slots(self) -> bool:
        """Whether its worker may still use the compute; while the end is recorded it does not."""
        return not self.worker_ended and self.progress.ending is None

    def watch(self, ref: ProcessRef, ended: Callable[[], None]) -> None:
        """Follow the worker's process; `ended` is called on the event loop when it is gone."""

        def notice() -> None:
            self.worker_ended = True
            ended()

        self.ref = ref
        self._watch = Watch(ref, notice)

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do `work` beside the job, for as long as it is followed; what it raises is logged."""
        task = asyncio.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._done)
        return task

    def close(self) -> None:
        """Follow it no more; its processes are left alone."""
        if self._watch is not None:
            self._watch.close()
        for task in (self.launching, self.ending, *self._others):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._others.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("Something beside the job %s failed: %s", self.id, error, exc_info=error)
