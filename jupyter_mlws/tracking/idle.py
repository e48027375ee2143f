"""Ends MLflow's server, in its own process, when nobody has asked it anything for a while."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.tracking.handing import NobodyKeeps, give
from jupyter_mlws.tracking.listening import Listening

if TYPE_CHECKING:
    import uvicorn

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_LAST_SECONDS = 6.0
"""For connections that are open and silent: one more than uvicorn keeps them."""


class Idle:
    """An ASGI application before another: counts the requests under way."""

    def __init__(self, app: Callable[[_Scope, _Receive, _Send], Awaitable[None]]) -> None:
        self._app = app
        self._open = 0
        self._last = time.monotonic()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Pass one request on; the arguments are those of ASGI."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1
            self._last = time.monotonic()

    def seconds(self) -> float:
        """Return how long nothing was asked; 0 while a request is under way."""
        return 0.0 if self._open else time.monotonic() - self._last


class IdleEnd:
    """Looks once a second, by uvicorn's own tick, whether the server is to end."""

    def __init__(self, idle: Idle, listening: Listening, *, after: float, unshipped: Path) -> None:
        """Not while there is a note in `unshipped`: a job logs, or is about to have its records sent."""
        self._idle = idle
        self._listening = listening
        self._after = after
        self._unshipped = unshipped
        self.server: uvicorn.Server | None = None

    async def look(self) -> None:
        """End the server if it is time."""
        if self._is_due() and await asyncio.to_thread(self._hand_over) and self._is_due():
            await self._end()

    def _is_due(self) -> bool:
        return self._idle.seconds() >= self._after and not _any_in(self._unshipped)

    def _hand_over(self) -> bool:
        """Give the sockets to who wakes the next server; whether the way is free."""
        try:
            give(self._listening.path.parent, self._listening)
        except NobodyKeeps:
            return True  # no Jupyter server of the workspace lives
        except OSError:
            return False  # it is busy, or stopped: another time
        return True

    async def _end(self) -> None:
        """Accept no more, answer those who have come in, and end. The others wait for the next server."""
        assert self.server is not None
        for listening in self.server.servers:
            listening.close()
        deadline = time.monotonic() + _LAST_SECONDS
        await asyncio.sleep(0.2)  # what was just accepted becomes a connection
        while self.server.server_state.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn's
            await asyncio.sleep(0.1)
        self.server.should_exit = True


def _any_in(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except OSError:
        return False
