"""Jupyter's event stream as a doorbell: it tells a follower that something changed, never what."""

from __future__ import annotations

import asyncio
import contextlib
import json
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jupyter_mlws.client.discovery import Address
from jupyter_mlws.client.transport import is_loopback

if TYPE_CHECKING:
    from tornado.websocket import WebSocketClientConnection

CHANGE_SCHEMA = "https://events.jupyter-mlws.org/change/v1"
_CONNECT_SECONDS = 5.0
_PING_SECONDS = 20.0
_SLOW = 20.0
_WITHOUT_BELL = 1.0


class Doorbell:
    """Rings when the job `id` changes. Where the stream cannot be had, it rings by a slow clock instead."""

    def __init__(self, address: Address, *, id: str) -> None:
        self._address = address
        self._id = id
        self._rung = asyncio.Event()
        self._socket: WebSocketClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.status: str | None = None
        """The status that the newest change told."""

    async def __aenter__(self) -> Self:
        from tornado.httpclient import HTTPRequest
        from tornado.websocket import websocket_connect

        request = HTTPRequest(
            "ws" + self._address.url.removeprefix("http") + "/api/events/subscribe",
            headers={"Authorization": f"token {self._address.token}"} if self._address.token else {},
            connect_timeout=_CONNECT_SECONDS,
            request_timeout=_CONNECT_SECONDS,
            validate_cert=not is_loopback(self._address.url),
        )
        # Any failure here means the clock instead of the bell; the fetches say what is wrong, if anything is.
        with contextlib.suppress(Exception):
            self._socket = await websocket_connect(request, ping_interval=_PING_SECONDS)
            self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
        if self._socket is not None:
            self._socket.close()

    async def wait(self, *, at_most: float | None = None) -> bool:
        """Wait until it rings; return False when it was the clock. `at_most` is in seconds."""
        patience = _SLOW if self._reader is not None and not self._reader.done() else _WITHOUT_BELL
        try:
            await asyncio.wait_for(self._rung.wait(), patience if at_most is None else min(patience, at_most))
        except TimeoutError:
            return False
        self._rung.clear()
        return True

    async def _read(self, socket: WebSocketClientConnection) -> None:
        while (message := await socket.read_message()) is not None:
            try:
                change = json.loads(message)
            except ValueError:
                continue
            if change.get("schema_id") == CHANGE_SCHEMA and change.get("id") == self._id:
                self.status = change.get("status")
                self._rung.set()
        # The server went away: ring, so that the follower looks at once.
        self._rung.set()
