"""Keeps a kernel ready on each other Jupyter server that jobs use: a controller of the reconcile loop.

One that waits is started behind a job, for the next, and ends when no job comes. Each is noted on the disk
before it is asked for, so that whoever leads next ends what a killed server left.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlws.compute.records import Records
from jupyter_mlws.compute.spare_notes import SpareNotes
from jupyter_mlws.compute.warmth import Use, Verdict, verdict
from jupyter_mlws.kernels.remote.spares import ENDING, read
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.remote import Remote, Whereabouts
from jupyter_mlws.store import computes as rows
from jupyter_mlws.store import jobs as job_rows
from jupyter_mlws.store.computes import ComputeRow
from jupyter_mlws.store.tokens import Tokens
from jupyter_mlws.store.transaction import Transaction

_LOOK_SECONDS = 1.0
_REST_SECONDS = 60.0  # after a spare could not be started
_END_SECONDS = 20.0
_AGAIN_SECONDS = 10.0  # until one that could not be ended is tried again, later less often
_GIVE_UP_SECONDS = 86_400.0
_APPEARS_SECONDS = 120.0  # that a kernel which was asked for is listed, after nobody asks any more
_log = logging.getLogger(__name__)


@dataclass
class _Place:
    """A compute that jobs use, as of its last job; times of the monotonic clock."""

    remote: Remote
    launched_at: float
    active_at: float
    running: int = 0
    """Jobs at the last look."""
    not_before: float = 0.0
    starting: asyncio.Task[None] | None = None


class WarmKernels:
    """The kernels that wait, of one workspace. All but `end` is for the server that leads."""

    def __init__(self, folder: Path, *, records: Records, tokens: Tokens, idle: float) -> None:
        """`folder` is for the notes; a kernel waits `idle` seconds for a job."""
        self.folder = folder
        self._notes = SpareNotes(folder)
        self._records, self._tokens, self._idle = records, tokens, idle
        self._places: dict[str, _Place] = {}
        self._starts: set[asyncio.Task[None]] = set()
        self._ending: dict[str, asyncio.Task[bool]] = {}
        self._again: dict[str, float] = {}
        self._leads = self._left = False
        self._looked_at = 0.0

    def used(self, remote: Remote) -> None:
        """A job was launched on `remote`."""
        now = time.monotonic()
        place = self._places.get(remote.name)
        if place is None or place.remote != remote:
            self._places[remote.name] = _Place(remote, now, now)
        else:
            place.launched_at = place.active_at = now
            place.not_before = 0.0

    # --- what the loop asks

    async def take_over(self, epoch: int) -> None:
        """End what the leader before has left: it cannot say any more for whom it waits."""
        self._leads = True
        for path, _ in await asyncio.to_thread(self._notes.of):
            await asyncio.to_thread(self._notes.claim, path)
        self._left = True

    async def step(self, rung: frozenset[str]) -> None:
        """Start and end what should be, once a second."""
        now = time.monotonic()
        if not (self._leads and (self._places or self._left)) or now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        notes = await asyncio.to_thread(self._notes.of)
        self._left = bool(notes)
        for path, found in notes:
            if path.suffix == ENDING:
                self._end_soon(path, found)
        for name, place in list(self._places.items()):
            kept = [path for path, found in notes if found.name == name and path.suffix != ENDING]
            await self._look(name, place, kept)

    async def let_go(self) -> None:
        """Leave everything as it is, for the next leader."""
        self._leads = False
        self._places.clear()
        await _canceled([*self._starts, *self._ending.values()])
        self._ending.clear()

    # --- what others ask

    async def end(self, name: str, *, seconds: float) -> None:
        """End what waits on the compute `name`, whoever leads; what takes longer is left to the leader."""
        self._places.pop(name, None)  # what is being started there finds its note taken
        await self._end_all(name, seconds=seconds)

    async def held_tokens(self) -> set[str]:
        """Return the ids of the tokens that are needed to end what is not ended yet."""
        return await asyncio.to_thread(self._notes.tokens)

    async def close(self, *, seconds: float) -> None:
        """End all that waits, if this server leads; what takes longer is left to the next leader."""
        if not self._leads:
            return
        self._leads = False
        # What is being started finds its note taken, and ends its kernel as soon as it has one.
        await self._end_all(None, seconds=seconds, beside=self._starts)

    # --- one compute

    async def _look(self, name: str, place: _Place, kept: list[Path]) -> None:
        def run(tx: Transaction) -> tuple[ComputeRow | None, tuple[int, int]]:
            return rows.find(tx, name), job_rows.unfinished(tx, name)

        row, (running, waiting) = await self._records.read(run)
        now = time.monotonic()
        if row is None or not self._is_of(row, place.remote):
            self._places.pop(name, None)
            await self._end_kept(kept)
            return
        if running:
            place.active_at = now
        if running < place.running:
            place.not_before = 0.0  # where it was full there is room now
        place.running = running
        use = Use(row.spec.slots, running, waiting, now - place.launched_at, now - place.active_at)
        under_way = place.starting is not None and not place.starting.done()
        decided = verdict(use, spares=max(len(kept), int(under_way)), idle=self._idle)
        if decided is Verdict.START and now >= place.not_before:
            place.starting = asyncio.create_task(self._start(place))
            self._starts.add(place.starting)
            place.starting.add_done_callback(self._starts.discard)
        elif decided is Verdict.END:
            await self._end_kept(kept)
        if now - place.active_at > self._idle and not kept and not under_way:
            self._places.pop(name, None)

    def _is_of(self, row: ComputeRow, remote: Remote) -> bool:
        token = None if row.token is None else str(self._tokens.path(row.token))
        return (row.spec.url, row.spec.kernel, token) == (remote.url, remote.kernel, remote.token_file)

    async def _start(self, place: _Place) -> None:
        # Imported with the first: most workspaces have none.
        from jupyter_mlws.kernels.remote.sparing import start_spare
        from jupyter_mlws.kernels.remote.token import token_of
        from jupyter_mlws.kernels.remote.troubles import RemoteFull, TokenRefused

        path = self._notes.new()
        # As it is now: with a compute its token goes, and what was begun has to be ended all the same.
        token = await asyncio.to_thread(token_of(place.remote.token_file))

        async def note(found: Whereabouts) -> bool:
            if found.kernel_id is not None:
                return await asyncio.to_thread(self._notes.update, path, found)
            await asyncio.to_thread(self._notes.begin, path, found)
            return True

        async def keep(found: Whereabouts) -> bool:
            return await asyncio.to_thread(self._notes.offer, path)

        try:
            await start_spare(place.remote, token=lambda: token, note=note, keep=keep)
        except (MlwsError, OSError) as error:
            # Full, or away: that is no job's trouble, and the next one says what is wrong.
            _log.info("No kernel waits on the compute %s: %s", place.remote.name, error)
            place.not_before = time.monotonic() + _REST_SECONDS
            if isinstance(error, (RemoteFull, TokenRefused)):  # there is none to look for
                await self._forget(path, await asyncio.to_thread(read, path))
        await asyncio.to_thread(self._notes.claim, path)  # if it did not become an offer
        self._left = True

    # --- ending

    async def _end_kept(self, paths: list[Path]) -> None:
        for path in paths:
            await asyncio.to_thread(self._notes.claim, path)
        self._left = True

    def _end_soon(self, path: Path, found: Whereabouts) -> None:
        running = self._ending.get(path.name)
        if (running is None or running.done()) and time.monotonic() >= self._again.get(path.name, 0.0):
            self._ending[path.name] = asyncio.create_task(self._end(path, found))

    async def _end_all(
        self, name: str | None, *, seconds: float, beside: Iterable[asyncio.Task[None]] = ()
    ) -> None:
        notes = await asyncio.to_thread(self._notes.of, name)
        claimed = [(await asyncio.to_thread(self._notes.claim, path), found) for path, found in notes]
        self._left = True
        tasks = [asyncio.create_task(self._end(path, found)) for path, found in claimed if path is not None]
        waited: set[asyncio.Task[Any]] = {*tasks, *beside}
        if waited:
            _, late = await asyncio.wait(waited, timeout=seconds)
            await _canceled(late.intersection(tasks))

    async def _end(self, path: Path, found: Whereabouts) -> bool:
        """End the kernel of a note that was claimed; False when it may still be there."""
        from jupyter_mlws.kernels.remote.ending import end_kernel

        try:
            async with asyncio.timeout(_END_SECONDS):
                was_there = await end_kernel(found)
            age = await asyncio.to_thread(self._notes.age, path)
            if not was_there and age < _APPEARS_SECONDS:
                self._again[path.name] = time.monotonic() + _AGAIN_SECONDS
                return False
        except (MlwsError, TimeoutError) as error:
            age = await asyncio.to_thread(self._notes.age, path)
            if age < _GIVE_UP_SECONDS:
                self._again[path.name] = time.monotonic() + max(_AGAIN_SECONDS, age / 4)
                return False
            _log.warning(
                "A kernel on the compute %s, in the session %s, may wait there still: %s",
                found.name,
                found.session,
                error,
            )
        self._again.pop(path.name, None)
        await self._forget(path, found)
        return True

    async def _forget(self, path: Path, found: Whereabouts | None) -> None:
        """Remove a note, and the token that only its kernel needed; None where the note is gone already."""
        await asyncio.to_thread(path.unlink, missing_ok=True)
        if found is not None:
            await self._forget_token(found)

    async def _forget_token(self, found: Whereabouts) -> None:
        """Remove the token that a kernel was ended with, if its compute is gone or has another."""
        if found.token_file is None:
            return
        id = Path(found.token_file).name
        known = {row.token for row in await self._records.read(rows.read)}
        if id not in known | await self.held_tokens():
            await asyncio.to_thread(self._tokens.forget, id)


async def _canceled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    given = list(tasks)
    for task in given:
        task.cancel()
    await asyncio.gather(*given, return_exceptions=True)
