"""Tells the server that the event log has grown; that it may not be there changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

from jupyter_mlws.model.pace import Pace

PATIENT = "+"
"""Before the name: the log has grown, which can wait a moment for others."""
_PER_SECOND, _AT_ONCE = 20, 10  # more rings are of no use to any eye


class Doorbell:
    """Sends the job's id as a datagram to a unix socket, at once while it is seldom."""

    def __init__(self, path: str | None, *, name: str) -> None:
        """`path` is the socket of the server, None where there is none to tell; `name` is the job's id."""
        self._path = path
        self._name, self._patient = name.encode(), (PATIENT + name).encode()
        self._socket: socket.socket | None = None
        self._pace = Pace(per_second=_PER_SECOND, burst=_AT_ONCE)
        self._later: asyncio.TimerHandle | None = None
        if path is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    def ring(self, *, at_once: bool = False) -> None:
        """Ring now, or a moment later when it rang often just now; then on the running event loop.

        With `at_once` it is told that somebody waits.
        """
        if at_once:
            self._send(self._name)
        elif self._later is None:
            pause = self._pace.turn(time.monotonic())
            if pause > 0:
                self._later = asyncio.get_running_loop().call_later(pause, self._send, self._patient)
            else:
                self._send(self._patient)

    def _send(self, packet: bytes) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._socket is not None and self._path is not None:
            # No server, a full queue, a path that is gone: it will read the log when it looks next.
            with contextlib.suppress(OSError):
                self._socket.sendto(packet, self._path)
