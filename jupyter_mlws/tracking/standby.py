"""While a Jupyter server leads, MLflow's address answers: who connects has MLflow's server started."""

from __future__ import annotations

import asyncio
import logging
import time

from jupyter_mlws.processes.watch import Watch
from jupyter_mlws.tracking.handing import Keeper
from jupyter_mlws.tracking.listening import Listening, TrackingFailed
from jupyter_mlws.tracking.server import TrackingServer

_REST_SECONDS = 10.0  # after the sockets could not be had
_log = logging.getLogger(__name__)


class Standby:
    """A controller of the reconcile loop: watches MLflow's server, and listens in its place once it ended.

    The sockets stay the same, so that whoever connects in between is neither refused nor forgotten.
    """

    def __init__(self, server: TrackingServer | None) -> None:
        """Without a `server` there is nothing to do."""
        self._server = server
        self._keeper: Keeper | None = None
        self._watch: Watch | None = None
        self._heard: Listening | None = None
        """What is listened to while MLflow's server is not there."""
        self._task: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._said: str | None = None

    async def take_over(self, epoch: int) -> None:
        """Begin."""
        if self._server is None:
            return
        self._keeper = Keeper(self._server.sockets.runtime, given=self._given, kept=self._kept)
        try:
            self._keeper.open()
        except OSError as error:
            _log.warning("MLflow's server cannot be stopped when idle: %s", error)
        self._look()

    async def step(self, rung: frozenset[str]) -> None:
        """Look, unless it is known how MLflow's server stands."""
        if self._server is not None and self._watch is None and self._heard is None:
            self._look()

    async def let_go(self) -> None:
        """Leave the address to the next leader."""
        if self._server is None:
            return
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._hear_no_more()
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._server.sockets.let_go()

    def _look(self) -> None:
        if (self._task is None or self._task.done()) and time.monotonic() >= self._not_before:
            self._task = asyncio.create_task(self._find_out())

    async def _find_out(self) -> None:
        assert self._server is not None
        try:
            process = await self._server.stand_by()
        except (TrackingFailed, OSError) as error:
            self._say(f"MLflow's address does not answer: {error}")
            self._not_before = time.monotonic() + _REST_SECONDS
            return
        if process is not None:
            self._watch = Watch(process, self._ended)
        elif (kept := self._kept()) is not None:
            self._hear(kept)

    def _ended(self) -> None:
        self._watch = None
        self._look()

    def _kept(self) -> Listening | None:
        return None if self._server is None else self._server.sockets.now

    def _given(self, listening: Listening) -> None:
        """MLflow's server is about to end."""
        assert self._server is not None
        heard = self._heard is not None
        self._hear_no_more()
        self._server.sockets.keep(listening)
        if heard:
            self._look()

    def _hear(self, listening: Listening) -> None:
        self._heard = listening
        for each in listening.both:
            asyncio.get_running_loop().add_reader(each, self._somebody)

    def _hear_no_more(self) -> None:
        heard, self._heard = self._heard, None
        for each in () if heard is None else heard.both:
            asyncio.get_running_loop().remove_reader(each)

    def _somebody(self) -> None:
        self._hear_no_more()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        assert self._server is not None
        try:
            await self._server.ensure()
        except TrackingFailed as failure:
            self._say(f"MLflow's server could not be started: {failure}")
            if (kept := self._kept()) is not None:
                kept.turn_away()
        else:
            self._said = None
        await self._find_out()

    def _say(self, sentence: str) -> None:
        """Log it once, however often somebody asks."""
        if sentence != self._said:
            self._said = sentence
            _log.warning("%s", sentence)
