"""An open websocket to a kernel on another Jupyter server."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import time
from socket import IPPROTO_TCP
from typing import Any

from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

_ACKNOWLEDGE: int | None = getattr(sockets, "TCP_QUICKACK", None)  # Linux has it


class Socket:
    """An open websocket to a kernel."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._heard_at = time.monotonic()
        self.protocol = connection.selected_subprotocol or None
        vars(connection)["on_pong"] = self._on_pong
        self._stream: Any = getattr(getattr(connection, "protocol", None), "stream", None)

    async def send(self, data: bytes | str) -> None:
        """Send a message. Raises tornado's WebSocketClosedError."""
        await self._connection.write_message(data, binary=isinstance(data, bytes))

    async def receive(self) -> bytes | str | None:
        """Return the next message; None when the connection is gone."""
        message = await self._connection.read_message()
        self._heard_at = time.monotonic()
        self._acknowledge()
        return message

    async def silent(self, *, seconds: float) -> None:
        """Return once nothing came for `seconds`, though the server was asked for a sign of life."""
        while time.monotonic() - self._heard_at < seconds:
            with contextlib.suppress(WebSocketClosedError):
                self._connection.ping()
            await asyncio.sleep(seconds / 4)

    def close(self) -> None:
        """Close it; what the other side makes of that is not waited for."""
        self._connection.close()

    def _acknowledge(self) -> None:
        """Tell the other side at once that all has come so far.

        A server sends a small message only when the one before was acknowledged (Nagle), which the system
        here puts off for 40 ms: with each request these would be lost.
        """
        socket = getattr(self._stream, "socket", None)  # None once it is closed
        if socket is not None and _ACKNOWLEDGE is not None:
            with contextlib.suppress(OSError):
                socket.setsockopt(IPPROTO_TCP, _ACKNOWLEDGE, 1)

    def _on_pong(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
