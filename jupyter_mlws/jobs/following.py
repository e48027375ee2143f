"""One attempt under way, as the leading server follows it in memory; all of it can be had again from disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from jupyter_mlws.jobs.beside import Beside
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.latest_values import LatestValues
from jupyter_mlws.jobs.progress import Progress
from jupyter_mlws.model.job import Attempt
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.processes.watch import Watch

_log = logging.getLogger(__name__)


class Following:
    """The progress of an attempt, its worker's process, and the tasks that are under way for it."""

    def __init__(self, progress: Progress, folder: AttemptFolder) -> None:
        self.progress = progress
        self.folder = folder
        self.stored_attempt: Attempt | None = None
        """As it was written last under this lead."""
        self.epoch = 0
        """Of the lead under which it is followed: what a task of an earlier one would write is void."""
        self.ref: ProcessRef | None = None
        self.worker_ended = False
        self.since = time.monotonic()
        """When it was begun or adopted, on the monotonic clock."""
        self.asked_to_cancel: float | None = None
        """When the worker was told to end, on the monotonic clock."""
        self.launching: asyncio.Task[None] | None = None
        self.mirrored = time.monotonic()
        """When its spool was read last, or it was begun, on the monotonic clock."""
        self.mirroring: asyncio.Task[None] | None = None
        """The reading of its spool."""
        self.values: LatestValues | None = None
        """What its run has, as far as the spool was read."""
        self.values_changed = True
        """Whether that is not written yet."""
        self.writing = asyncio.Lock()
        self.ending: asyncio.Task[None] | None = None
        self.burying: asyncio.Task[None] | None = None
        """Ends what is left of an attempt whose worker died."""
        self.trouble: str | None = None
        """What went wrong when it was last looked at."""
        self._watch: Watch | None = None
        self.beside = Beside(f"the job {self.id}", log=_log)
        """What is done beside the job, for as long as it is followed."""

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

    def close(self) -> None:
        """Follow it no more; its processes are left alone."""
        if self._watch is not None:
            self._watch.close()
        for task in (self.launching, self.ending):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self.beside.cancel()
