"""Ships what jobs have logged to MLflow, beside everything else: the leading server's task.

Each attempt of which MLflow has not everything has a note in a folder of the workspace, so that a server
that starts finds them all, jobs that ended while MLflow was away included, without looking at every job.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.jobs.shipped import Shipped, mirror, refusals
from jupyter_mlws.jobs.unshipped import Unshipped
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.run_values import RunValues
from jupyter_mlws.tracking.progress import size_of
from jupyter_mlws.tracking.server import TrackingServer
from jupyter_mlws.tracking.shipper import Shipper
from jupyter_mlws.tracking.shipping_request import Told
from jupyter_mlws.tracking.troubles import Unreachable

# After the beginning of a run: most are over by then, and are shipped once. Whoever asks MLflow's server for
# it earlier has it shipped (tracking/shipyard.py).
_FIRST_SECONDS = 1.0
_LOOK_SECONDS = 0.25
_BUSY_SECONDS = 0.05  # the job's kernel has it shipped just now
_NOTES_SECONDS = 5.0
_AT_ONCE = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # after MLflow gave no answer
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Way:
    """How the shipping of one attempt goes."""

    job: str
    attempt: int
    due: float
    """When to look at it, by `time.monotonic`."""
    offset: int = -1
    """What MLflow has of its spool, as far as is known here; -1: nothing is known."""
    pause: float = _FIRST_PAUSE
    waiting: list[asyncio.Future[Shipped]] = field(default_factory=list)

    def put_off(self, now: float) -> bool:
        """Try again after a pause, which grows; return whether it is the first."""
        first = self.pause == _FIRST_PAUSE
        self.due = now + self.pause
        self.pause = min(self.pause * 2, _LONGEST_PAUSE)
        return first


class Shipping:
    """Has MLflow's server ship what the notes name, while this server leads."""

    def __init__(self, server: TrackingServer | None, *, records: JobRecords, layout: Layout) -> None:
        """Without a `server` nothing is ever shipped."""
        self._server = server
        self._records = records
        self._layout = layout
        self._notes = None if server is None else Unshipped(server.unshipped, layout)
        self._shipper = Shipper()
        self._epoch = 0
        self._ways: dict[tuple[str, int], _Way] = {}
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def start(self, epoch: int) -> None:
        """Begin; `epoch` goes into each write to the database."""
        self._epoch = epoch
        if self._server is not None and self._notes is not None:
            self._looking = asyncio.create_task(self._look_on(self._server, self._notes))

    async def let_go(self) -> None:
        """Stop; what is not shipped is for the next leader."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._ways.clear()
        self._shipper.close()
        self._shipper = Shipper()  # a thread may still be busy with the other when the next reign begins

    def begun(self, job: str, attempt: int) -> None:
        """Take note of an attempt whose run begins now."""
        self._way(job, attempt)
        self._woken.set()

    async def recorded(self, job: str, attempt: int, *, seconds: float) -> Shipped | None:
        """Wait at most `seconds` until MLflow has all of an attempt whose end was written; None: not yet."""
        way = self._way(job, attempt)
        way.due = 0.0
        self._woken.set()
        if self._server is None or self._server.state().status != "ready":
            return None
        waiting: asyncio.Future[Shipped] = asyncio.get_running_loop().create_future()
        way.waiting.append(waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await waiting
        return None

    def _way(self, job: str, attempt: int) -> _Way:
        due = time.monotonic() + _FIRST_SECONDS
        return self._ways.setdefault((job, attempt), _Way(job, attempt, due))

    async def _look_on(self, server: TrackingServer, notes: Unshipped) -> None:
        read = 0.0
        while True:
            self._woken.clear()
            try:
                if time.monotonic() >= read:
                    for each in await asyncio.to_thread(notes.read):
                        self._way(*each)
                    read = time.monotonic() + _NOTES_SECONDS
                await self._ship_due(server, notes)
            except Exception:
                _log.exception("What jobs have logged cannot be looked at.")
                await asyncio.sleep(_LOOK_SECONDS)
            first = min((way.due for way in self._ways.values()), default=read)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(first, read) - time.monotonic())):
                    await self._woken.wait()

    async def _ship_due(self, server: TrackingServer, notes: Unshipped) -> None:
        now = time.monotonic()
        # Those that are due soon too: they are looked at together, and so are the next time.
        due = [way for way in self._ways.values() if way.due <= now + _LOOK_SECONDS / 5]
        if not due or all(way.due > now for way in due):
            return
        grown, gone = await asyncio.to_thread(self._look_at, notes, due)
        for way in gone:
            self._ways.pop((way.job, way.attempt), None)
        for way in due:
            way.due = now + _LOOK_SECONDS
        grown.sort(key=lambda way: not way.waiting)  # who waits comes first
        for start in range(0, len(grown), _AT_ONCE):
            await self._ship(server, notes, grown[start : start + _AT_ONCE])

    def _look_at(self, notes: Unshipped, ways: Iterable[_Way]) -> tuple[list[_Way], list[_Way]]:
        """Return those of which MLflow has not everything, and those whose job was deleted."""
        grown, gone = [], []
        for way in ways:
            size = size_of(self._layout.attempt(way.job, way.attempt).spool)
            if size == 0 and not notes.keeps(way.job, way.attempt):
                gone.append(way)
            elif size > way.offset:
                grown.append(way)
        return grown, gone

    async def _ship(self, server: TrackingServer, notes: Unshipped, ways: Sequence[_Way]) -> None:
        try:
            address = await server.ensure()
            asked = [(way.job, way.attempt) for way in ways]
            told = await asyncio.to_thread(self._shipper.ship, address, asked)
            server.answered()
        except (MlwsError, OSError, Unreachable) as error:
            self._put_off(ways, str(error))
            return
        now, ended = time.monotonic(), []
        for way, each in zip(ways, told, strict=True):
            way.offset = each.offset
            if each.trouble is not None:
                self._put_off([way], each.trouble)
            elif each.busy:
                way.due = now + _BUSY_SECONDS
            else:
                way.pause = _FIRST_PAUSE
                if each.left > 0:
                    way.due = now
                elif each.ended:
                    ended.append((way, each))
        try:
            await self._settle(notes, ended)
        except Exception as error:
            if not isinstance(error, MlwsError | OSError):
                _log.exception("The end of what jobs have logged is looked at again.")
            for way, _ in ended:
                way.offset = -1
            self._put_off([way for way, _ in ended], str(error))

    def _put_off(self, ways: Iterable[_Way], said: str) -> None:
        now = time.monotonic()
        first = [way.put_off(now) for way in ways]
        if any(first):
            _log.warning("What a job has logged is not in MLflow yet: %s", said)

    async def _settle(self, notes: Unshipped, ended: Sequence[tuple[_Way, Told]]) -> None:
        """Mirror what MLflow has now: processes of the job may have logged there directly. Then forget it."""
        if not ended:
            return
        refused = await asyncio.to_thread(
            lambda: [refusals(self._layout.attempt(way.job, way.attempt).refused) for way, _ in ended]
        )
        # A run that is not there was refused, which is said, or deleted by the user meanwhile.
        shipped = [
            ((way.job, way.attempt), Shipped(RunValues(told.metrics or {}, told.params or {}), said))
            for (way, told), said in zip(ended, refused, strict=True)
        ]
        await self._records.write(partial(mirror, shipped=shipped), epoch=self._epoch)
        await asyncio.to_thread(notes.remove, [each for each, _ in shipped])
        for (way, _), (_, values) in zip(ended, shipped, strict=True):
            self._ways.pop((way.job, way.attempt), None)
            for waiting in way.waiting:
                if not waiting.done():
                    waiting.set_result(values)
