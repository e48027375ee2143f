"""Looks after a running job: samples what it uses, holds it to its memory limit, sees that it is canceled."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Callable

from jupyter_mlws.kernels.driver import Kernel
from jupyter_mlws.model.events import Sample
from jupyter_mlws.processes.niceness import give_way
from jupyter_mlws.worker.attempt_folder import AttemptFolder
from jupyter_mlws.worker.escalation import Step
from jupyter_mlws.worker.event_log import EventLog
from jupyter_mlws.worker.stopping import CANCELED, Stopper
from jupyter_mlws.worker.verdict import memory_exceeded

_SAMPLE_SECONDS = 1.0
_MEMORY_SECONDS = 0.2
_CANCEL_SECONDS = 0.5
_SHORT_SECONDS = 1.0


async def watch_cancel(folder: AttemptFolder, stopper: Stopper) -> None:
    """Ask `stopper` to stop once somebody wants the job canceled. SIGTERM says it sooner."""
    while not folder.cancel_asked:  # noqa: ASYNC110 - another process makes the file
        await asyncio.sleep(_CANCEL_SECONDS)
    stopper.ask(CANCELED)


async def watch_usage(kernel: Kernel, *, log: EventLog, limit: int | None, stopper: Stopper) -> None:
    """Write a sample each second, and stop the job when its processes hold more than `limit` bytes."""
    sampled_at = time.monotonic()
    while True:
        await asyncio.sleep(_MEMORY_SECONDS if limit is not None else _SAMPLE_SECONDS)
        try:
            usage = await kernel.usage()
        except Exception:  # a process that ends while it is looked at must not end the watch
            traceback.print_exc()
            continue
        if usage is None:
            return
        over = limit is not None and usage.memory > limit
        if over or time.monotonic() - sampled_at >= _SAMPLE_SECONDS:
            sampled_at = time.monotonic()
            log.append(Sample(t=time.time(), memory=usage.memory, cpu_seconds=usage.cpu_seconds))
        if over and limit is not None:
            # Nothing gentle: what it holds grows on while it is asked.
            stopper.ask(memory_exceeded(usage.memory, limit), first=Step.KILL)
            return


async def see_that_it_gives_way(kernel: Kernel, nice: int) -> None:
    """Make kernel and worker nice once the job has run for a while; a short one is in nobody's way."""
    await asyncio.sleep(_SHORT_SECONDS)
    kernel.give_way(nice)
    pid = os.getpid()
    while True:
        if give_way(pid, nice):
            return
        await asyncio.sleep(_SHORT_SECONDS + pid % 100 / 100)  # not with all the others


def after(seconds: float | None, do: Callable[[], None]) -> Callable[[], None]:
    """Call `do` after `seconds` on the event loop, never if None; return what calls it off."""
    if seconds is None:
        return lambda: None
    return asyncio.get_running_loop().call_later(seconds, do).cancel
