"""Ships what jobs have logged to MLflow, beside everything else: the leading server's task.

Each attempt of which MLflow has not everything has a note in a folder of the workspace, so that a server
that starts finds them all, jobs that ended while MLflow was away included, without looking at every job.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import Job
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store import run_values
from jupyter_mlws.store.epoch import LeaseLost
from jupyter_mlws.store.layout import Layout, PathRefused
from jupyter_mlws.store.run_values import RunValues
from jupyter_mlws.store.transaction import Transaction
from jupyter_mlws.tracking.identity import read_identity
from jupyter_mlws.tracking.runs import Runs, TrackingRefused
from jupyter_mlws.tracking.server import TrackingServer
from jupyter_mlws.tracking.ship import Address, Busy, Unreachable, left, ship, state_of

_LOOK_SECONDS = 0.25  # with something to ship; without, somebody rings
_QUIET_SECONDS = 5.0
_AT_ONCE = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # after MLflow gave no answer
AWAY = "What the job logged gets to MLflow once its server answers"
"""Message of a job that ended meanwhile."""
_log = logging.getLogger(__name__)


class Shipped(NamedTuple):
    """What MLflow has of an attempt whose end it was told."""

    values: RunValues
    refused: str | None
    """A sentence about what MLflow did not take."""


class _Note(NamedTuple):
    name: str
    job: str
    attempt: int
    folder: Path
    left: int
    ended: bool


@dataclass
class _Way:
    """How the shipping of one attempt goes."""

    task: asyncio.Task[None] | None = None
    not_before: float = 0.0
    pause: float = _FIRST_PAUSE
    waiting: list[asyncio.Future[Shipped]] = field(default_factory=list)


class Shipping:
    """Looks at the notes while this server leads."""

    def __init__(self, server: TrackingServer | None, *, records: JobRecords, layout: Layout) -> None:
        """Without a `server` nothing is ever shipped."""
        self._server = server
        self._runs = None if server is None else Runs(server.ensure)
        self._records = records
        self._layout = layout
        self._epoch = 0
        self._ways: dict[str, _Way] = {}
        self._woken = asyncio.Event()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._looking: asyncio.Task[None] | None = None

    def start(self, epoch: int) -> None:
        """Begin; `epoch` goes into each write to the database."""
        self._epoch = epoch
        if self._server is not None:
            self._looking = asyncio.create_task(self._look_on(self._server))

    async def let_go(self) -> None:
        """Stop; what is not shipped is for the next leader."""
        tasks = [self._looking, *(way.task for way in self._ways.values())]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        self._ways.clear()
        if self._runs is not None:
            await self._runs.close()

    def wake(self) -> None:
        """Look at once; on the event loop."""
        self._woken.set()

    async def recorded(self, job: str, attempt: int, *, seconds: float) -> Shipped | None:
        """Wait at most `seconds` until MLflow has all of an attempt whose end was written; None: not yet."""
        if self._server is None or self._server.state().status != "ready":
            self.wake()
            return None
        waiting: asyncio.Future[Shipped] = asyncio.get_running_loop().create_future()
        self._ways.setdefault(f"{job}-{attempt}", _Way()).waiting.append(waiting)
        self.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await waiting
        return None

    async def _look_on(self, server: TrackingServer) -> None:
        while True:
            self._woken.clear()
            notes: list[_Note] = []
            try:
                notes = await asyncio.to_thread(_read, server.unshipped, self._layout)
                self._look(server, notes)
            except Exception:
                _log.exception("What jobs have logged cannot be looked at.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS if notes else _QUIET_SECONDS):
                    await self._woken.wait()

    def _look(self, server: TrackingServer, notes: list[_Note]) -> None:
        there = {note.name for note in notes}
        for name in [name for name, way in self._ways.items() if name not in there and way.task is None]:
            del self._ways[name]
        for note in notes:
            way = self._ways.setdefault(note.name, _Way())
            due = note.left > 0 or note.ended
            if due and way.task is None and time.monotonic() >= way.not_before:
                way.task = asyncio.create_task(self._ship(server, note, way))
                way.task.add_done_callback(partial(self._done, way))

    def _done(self, way: _Way, task: asyncio.Task[None]) -> None:
        way.task = None
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            way.pause, way.not_before = _FIRST_PAUSE, 0.0
            return
        if not isinstance(error, Busy):
            if way.pause == _FIRST_PAUSE:
                expected = isinstance(error, MlwsError | OSError | Unreachable | LeaseLost)
                _log.warning(
                    "What a job has logged is not in MLflow yet: %s",
                    error,
                    exc_info=None if expected else error,
                )
            way.not_before = time.monotonic() + way.pause
            way.pause = min(way.pause * 2, _LONGEST_PAUSE)

    async def _ship(self, server: TrackingServer, note: _Note, way: _Way) -> None:
        async with self._places:
            address = await server.ensure()
            host, _, port = address.url.removeprefix("http://").partition(":")
            there = Address(host, int(port), address.token)
            state = await asyncio.to_thread(
                ship, str(note.folder), address=lambda: there, artifacts=str(server.artifacts)
            )
            if state.ended and await asyncio.to_thread(left, str(note.folder)) <= 0:
                await self._settle(server, note, way)

    async def _settle(self, server: TrackingServer, note: _Note, way: _Way) -> None:
        """Mirror what MLflow has now: processes of the job may have logged there directly. Then forget it."""
        assert self._runs is not None
        run = await asyncio.to_thread(read_identity, note.folder)
        values = RunValues({}, {})
        # A run that is not there was refused, which is said, or deleted by the user meanwhile.
        with contextlib.suppress(TrackingRefused):
            values = values if run is None else await self._runs.values(run.run_id)
        shipped = Shipped(values, await asyncio.to_thread(_refusals, note.folder))
        await self._records.write(lambda tx: _mirror(tx, note, shipped), epoch=self._epoch)
        await asyncio.to_thread((server.unshipped / note.name).unlink, missing_ok=True)
        for waiting in way.waiting:
            if not waiting.done():
                waiting.set_result(shipped)
        way.waiting.clear()


def _mirror(tx: Transaction, note: _Note, shipped: Shipped) -> None:
    job = rows.find(tx, note.job)
    if job is None or job.attempt != note.attempt:
        return
    run_values.save(tx, job.id, metrics=shipped.values.metrics, params=shipped.values.params)
    if job.status.is_terminal:
        message = shipped.refused if job.message == AWAY else job.message
        changed = job.model_copy(update={"metrics": shipped.values.metrics, "message": message})
        if _differs(job, changed):
            rows.save(tx, changed)


def _differs(job: Job, changed: Job) -> bool:
    return (job.metrics, job.message) != (changed.metrics, changed.message)


def _read(folder: Path, layout: Layout) -> list[_Note]:
    """Return the notes; those of jobs that were deleted are removed."""
    notes = []
    for path in folder.iterdir() if folder.is_dir() else ():
        job, _, attempt = path.name.partition("-")
        try:
            spool = layout.attempt(job, int(attempt)).spool
        except (ValueError, PathRefused):
            continue
        if not spool.is_dir():
            if time.time() - path.stat().st_mtime > _LONGEST_PAUSE:  # it is just being made otherwise
                path.unlink(missing_ok=True)
            continue
        notes.append(_Note(path.name, job, int(attempt), spool, left(str(spool)), state_of(str(spool)).ended))
    return notes


def _refusals(folder: Path) -> str | None:
    try:
        lines = (folder / "refused.jsonl").read_text(encoding="utf-8").splitlines()
        first = json.loads(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    more = f" {len(lines) - 1} more are in the job's log." if len(lines) > 1 else ""
    return f"MLflow did not take {first['what']}: {first['message'].rstrip('.')}.{more}"
