"""Who waits for a job to change: held by the job's id on the event loop, woken there, and free until then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from jupyter_mlws.model.events import Change

Wants = Callable[[Change], bool]
"""Whether a change is worth another look."""
News = Literal["log", "change"]
"""What ended a wait: the log has grown, or a change that is in the database by now."""


class Waiter:
    """Somebody who waits. He is registered before he looks, so that a change in between wakes him."""

    def __init__(self, wants: Wants, *, seconds: float, hears_log: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + seconds
        self._pause: asyncio.Future[None] | None = None
        self._news: News | None = None
        self._released = seconds <= 0
        self.wants = wants
        self.hears_log = hears_log
        """Whether it is enough that the log has grown."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to wait for: the time is over, or whoever asked has gone."""
        return self._released or self._loop.time() >= self._until

    def wake(self, news: News) -> None:
        """End the wait, or the next one if there is none now."""
        if self._news != "change":
            self._news = news
        self._end()

    def release(self) -> None:
        """Wait no more."""
        self._released = True
        self._end()

    async def wait(self, *, at_most: float | None = None) -> News | None:
        """Wait; return what is new, None when nothing is. `at_most` is in seconds."""
        if self._news is None and not self.is_over:
            until = self._until if at_most is None else min(self._until, self._loop.time() + at_most)
            self._pause = self._loop.create_future()
            timer = self._loop.call_at(until, self._end)
            try:
                await self._pause
            finally:
                timer.cancel()
                self._pause = None
        news, self._news = self._news, None
        return None if self._released else news

    def _end(self) -> None:
        if self._pause is not None and not self._pause.done():
            self._pause.set_result(None)


class Waiting:
    """Everybody who waits in this server. All of it happens on the event loop."""

    def __init__(self) -> None:
        self._waiters: dict[str, set[Waiter]] = {}
        self._closed = False

    @property
    def held(self) -> int:
        """How many wait now."""
        return sum(map(len, self._waiters.values()))

    @contextlib.contextmanager
    def register(self, id: str, wants: Wants, *, seconds: float, hears_log: bool = False) -> Iterator[Waiter]:
        """Give a waiter for the job `id`, who waits for `seconds` at most."""
        waiter = Waiter(wants, seconds=0 if self._closed else seconds, hears_log=hears_log)
        here = self._waiters.setdefault(id, set())
        here.add(waiter)
        try:
            yield waiter
        finally:
            here.discard(waiter)
            if not here:
                self._waiters.pop(id, None)

    def log_grew(self, id: str) -> None:
        """Wake those who wait for the log of the job `id`: before anything of it is in the database."""
        for waiter in self._waiters.get(id, ()):
            if waiter.hears_log:
                waiter.wake("log")

    def changed(self, changes: Iterable[Change]) -> None:
        """Wake those who want to know of `changes`."""
        for change in changes:
            for waiter in self._waiters.get(change.id, ()):
                if change.noun == "job" and waiter.wants(change):
                    waiter.wake("change")

    def close(self) -> None:
        """Let everybody go, and hold nobody any more."""
        self._closed = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.release()
