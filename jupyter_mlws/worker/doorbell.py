"""Tells the server that the event log has grown; that it may not be there changes nothing."""

from __future__ import annotations

import contextlib
import socket
import time

_LEAST_SECONDS = 0.05  # twenty rings a second are enough for any eye


class Doorbell:
    """Sends the job's id as a datagram to a unix socket, at most twenty times a second."""

    def __init__(self, path: str | None, *, name: str) -> None:
        """`path` is the socket of the server, None where there is none to tell; `name` is the job's id."""
        self._path = path
        self._name = name.encode()
        self._socket: socket.socket | None = None
        self._rang_at = 0.0
        self._pending = False
        if path is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    def ring(self, *, at_once: bool = False) -> None:
        """Ring now, or keep it in mind for `ring_if_due` when the last time was just now."""
        if at_once or time.monotonic() - self._rang_at >= _LEAST_SECONDS:
            self._send()
        else:
            self._pending = True

    def ring_if_due(self) -> None:
        """Do what was kept in mind, if its time has come."""
        if self._pending and time.monotonic() - self._rang_at >= _LEAST_SECONDS:
            self._send()

    def _send(self) -> None:
        self._rang_at, self._pending = time.monotonic(), False
        if self._socket is not None and self._path is not None:
            # No server, a full queue, a path that is gone: it will read the log when it looks next.
            with contextlib.suppress(OSError):
                self._socket.sendto(self._name, self._path)
