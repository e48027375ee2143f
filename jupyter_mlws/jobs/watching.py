"""How the attempts under way go on: their logs are read, and the death of their workers is noticed."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

from jupyter_mlws.jobs.end_elsewhere import end_elsewhere
from jupyter_mlws.jobs.ending import Finisher
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.log import read_events
from jupyter_mlws.jobs.progress import Ending
from jupyter_mlws.jobs.roster import Roster
from jupyter_mlws.jobs.run_mirror import RunMirror
from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.store.epoch import LeaseLost

_PIECES = 8  # of the log at one look, so that a job that never stops writing leaves time for the others
_SHORT = 1 << 20  # bytes: less than that is the end of the log, as far as it has come
_BEGIN_SECONDS = 30.0  # a worker that has not written its pid by then never will
_CANCEL_SECONDS = 30.0  # longer than the worker's own interrupt, terminate and kill together
_log = logging.getLogger(__name__)


class Watcher:
    """Looks at attempts, one by one."""

    def __init__(self, *, roster: Roster, finisher: Finisher, mirror: RunMirror) -> None:
        self._roster = roster
        self._finisher = finisher
        self._mirror = mirror

    async def look(self, following: Following) -> None:
        """Look at an attempt. Raises `LeaseLost` alone: trouble with one job must not keep the others."""
        try:
            await self._look(following)
            following.trouble = None
        except LeaseLost:
            raise
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
            if trouble != following.trouble:  # it may come again with each look
                _log.warning("Job %s could not be looked at: %s", following.id, trouble, exc_info=error)
            following.trouble = trouble

    async def _look(self, following: Following) -> None:
        if following.ending is not None:
            return
        dead = following.worker_ended  # before the log is read: what a dead worker wrote is all there
        if not await self._read_on(following):
            self._roster.ring(following.id)
            return
        ending = following.progress.ending
        if ending is not None:
            self._finisher.finish(following, ending)
        elif dead:
            # Beside: another server may have to be asked, and the other jobs must not wait for it.
            if following.burying is None or following.burying.done():
                following.burying = following.beside.do(self._bury(following))
        elif following.ref is None and following.launching is None:
            await self._find_worker(following)
        else:
            await self._enforce_cancel(following)
            self._mirror.look(following)

    async def _read_on(self, following: Following) -> bool:
        """Read the log on; False when there is more."""
        for _ in range(_PIECES):
            progress = following.progress
            offset = progress.job.offset
            events, reached = await asyncio.to_thread(read_events, following.folder.files.events, offset)
            if reached == offset:
                return True
            await self._roster.save(following, following.progress.advance(events, offset=reached))
            if reached - offset < _SHORT:
                return True
        return False

    async def _find_worker(self, following: Following) -> None:
        """Find the process of an attempt that another server started, or that began while it was canceled."""
        ref = await asyncio.to_thread(following.folder.process)
        if ref is not None:
            following.watch(ref, lambda: self._roster.ring(following.id))
        elif time.monotonic() - following.since > _BEGIN_SECONDS:
            following.worker_ended = True
            self._roster.ring(following.id)

    async def _enforce_cancel(self, following: Following) -> None:
        """Kill a worker that does not heed its cancellation, stopped or hung as it may be."""
        asked_at = following.asked_to_cancel
        if asked_at is not None and time.monotonic() - asked_at > _CANCEL_SECONDS and following.ref:
            await asyncio.to_thread(following.ref.kill_group)

    async def _bury(self, following: Following) -> None:
        """End an attempt whose worker died without a last word: first its kernel, then the record."""
        attempt = following.progress.attempt
        if attempt.kernel_pid is not None and attempt.kernel_process_started is not None:
            kernel = ProcessRef(attempt.kernel_pid, attempt.kernel_process_started)
            await asyncio.to_thread(kernel.kill_group)
        await asyncio.to_thread(following.folder.remove_kernel_folder)
        left = await end_elsewhere(following.folder.files)
        now = datetime.now(UTC)
        if following.progress.job.wanted is not Wanted.RUN:
            self._finisher.finish(following, Ending(JobStatus.CANCELED, now, None))
            return
        error = await asyncio.to_thread(_why, following)
        if left is not None:
            error = error.model_copy(update={"message": f"{error.message} {left}"})
        self._finisher.finish(following, Ending(JobStatus.FAILED, now, error))


def _why(following: Following) -> ErrorInfo:
    """Return what is known of a worker's death. Reads the disk."""
    if not following.folder.path.is_dir():
        return ErrorInfo(
            code="folder_gone",
            message=f"The folder of the attempt, {following.folder.path}, was removed while it ran.",
            hint="What it wrote is lost; run it again.",
        )
    said = following.folder.worker_log_tail()
    return ErrorInfo(
        code="worker_died",
        message="The worker process died" + (f": {said[-500:]}" if said else "."),
        hint="It was killed, or the machine ran out of memory or was restarted. Run it again, or ask "
        "for retries.",
    )
