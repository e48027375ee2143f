"""A worker's process: owns its attempt, runs it, and leaves a true last event behind."""

from __future__ import annotations

import asyncio
import signal
import time
import traceback
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jupyter_mlws.kernels.driver import Driver
from jupyter_mlws.kernels.forked import ForkedDriver
from jupyter_mlws.kernels.plain import PlainDriver
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.events import AttemptBegan, Message, StatusChanged
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.worker.attempt_folder import AttemptFolder
from jupyter_mlws.worker.conversation import KernelDied
from jupyter_mlws.worker.doorbell import Doorbell
from jupyter_mlws.worker.event_log import EventLog
from jupyter_mlws.worker.run import Run
from jupyter_mlws.worker.stopping import CANCELED, Ending, Stopped, Stopper
from jupyter_mlws.worker.task import Task
from jupyter_mlws.worker.verdict import disk_failed, failed, kernel_died
from jupyter_mlws.worker.watch import watch_cancel

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def work(root: Path, *, signals: list[int]) -> bool:
    """Run the attempt in `root`; False when it is not ours to run, and then nothing was touched.

    `signals` is what came so far; handlers are replaced by our own.
    """
    folder = AttemptFolder(root)
    if not folder.claim():
        return False
    try:
        task = folder.task()
    except (OSError, ValidationError) as error:
        log = EventLog(folder.files.events, reserve=folder.files.reserve, doorbell=Doorbell(None, name=""))
        ending = failed("worker_error", f"The task of the attempt cannot be read: {error}.")
        log.finish([StatusChanged(t=time.time(), status=ending.status, error=ending.error)])
        return True
    doorbell = Doorbell(task.doorbell, name=task.job)
    log = EventLog(folder.files.events, reserve=folder.files.reserve, doorbell=doorbell)
    try:
        process, host = folder.introduce()
    except OSError as error:
        ending = disk_failed(error)
        log.finish([StatusChanged(t=time.time(), status=ending.status, error=ending.error)])
        return True
    log.append(
        AttemptBegan(
            t=time.time(),
            job=task.job,
            attempt=task.attempt,
            pid=process.pid,
            process_started=process.started,
            host=host,
        )
    )
    log.append(StatusChanged(t=time.time(), status=JobStatus.PREPARING))
    asyncio.run(_attempt(task, folder=folder, log=log, signals=signals))
    return True


async def _attempt(task: Task, *, folder: AttemptFolder, log: EventLog, signals: list[int]) -> None:
    stopper = Stopper(grace=task.grace)

    def stop() -> None:
        stopper.ask(CANCELED if folder.cancel_asked else _told_to_end())

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)
    if signals:
        stop()
    watching = asyncio.create_task(watch_cancel(folder, stopper))
    run = Run(task, folder=folder, log=log, driver=_driver(task, folder, log), stopper=stopper)
    at_once = True
    try:
        ending = await run.execute()
        at_once = False
    except Stopped:
        ending = stopper.ending or CANCELED
    except KernelDied:
        ending = stopper.ending or _death(run)
    except MlwsError as error:
        ending = stopper.ending or Ending(JobStatus.FAILED, error.info)
    except Exception as error:
        traceback.print_exc()
        ending = failed("worker_error", f"The worker failed: {type(error).__name__}: {error}.")
    watching.cancel()
    try:
        await run.close(at_once=at_once)
    except Exception:
        # The kernel is gone or will go with us; the attempt has to end all the same.
        traceback.print_exc()
    log.flush()
    if log.failure is not None:
        ending = disk_failed(log.failure)
    log.finish([StatusChanged(t=time.time(), status=ending.status, error=ending.error)])


def _driver(task: Task, folder: AttemptFolder, log: EventLog) -> Driver:
    remote = folder.remote()
    if remote is not None:
        from jupyter_mlws.kernels.remote.driver import RemoteDriver
        from jupyter_mlws.kernels.remote.spares import Spares
        from jupyter_mlws.worker.spool import Spool

        def say(text: str, level: Any) -> None:
            log.append(Message(t=time.time(), level=level, text=text))

        return RemoteDriver(
            remote,
            session=f"mlws-{task.job}-{task.attempt}",
            note=folder.note_remote_kernel,
            say=say,
            spool=Spool(folder.files.spool, doorbell=Doorbell(task.doorbell, name=task.job)),
            spares=Spares(Path(remote.spares), into=folder.files.remote_kernel) if remote.spares else None,
        )
    plain = PlainDriver(alone=True, note=folder.note_kernel_folder)
    if task.forking is None:
        return plain
    return ForkedDriver(task.forking, plain=plain, note=folder.note_kernel_folder)


def _death(run: Run) -> Ending:
    kernel = run.kernel
    if kernel is not None and (epitaph := kernel.epitaph()) is not None:
        hint = " ".join(filter(None, (run.where, epitaph.hint)))
        return failed(epitaph.code, epitaph.message, hint=hint)
    words = "" if kernel is None else kernel.last_words()
    if words:
        run.say(f"The kernel's last words:\n{words}", level="error")
    return kernel_died(None if kernel is None else kernel.exit_code(), where=run.where)


def _told_to_end() -> Ending:
    return failed(
        "worker_error",
        "The worker was told to end by a signal, as when the machine shuts down.",
        hint="Run the job again.",
    )
