"""A TCP proxy between a worker and another Jupyter server that the tests cut, silence and restore."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from enum import Enum
from typing import Self


class Mode(Enum):
    """What becomes of the bytes."""

    OPEN = "open"
    CUT = "cut"
    """Connections are reset, and new ones as well."""
    SILENT = "silent"
    """Bytes are taken and thrown away, in both directions; new connections get no answer."""


class Proxy:
    """Listens on a port of this machine and passes on to another."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._mode = Mode.OPEN
        self._pairs: set[tuple[socket.socket, socket.socket | None]] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        """How many connections were passed on so far."""
        self.refused = 0
        """How many were reset as they came."""
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.close()
        self._reset()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset all connections, and those that come."""
        self._mode = Mode.CUT
        self._reset()

    def blink(self) -> None:
        """Reset all connections, once."""
        self._reset()

    def silence(self) -> None:
        """Swallow everything from now on: nobody is told."""
        self._mode = Mode.SILENT

    def restore(self) -> None:
        """Pass on again. What was silenced stays so: its bytes are lost, as those of a real connection."""
        self._mode = Mode.OPEN

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._mode is Mode.CUT:
                self.refused += 1
                _reset(near)
                continue
            far = None
            if self._mode is Mode.OPEN:
                try:
                    far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
                    far.settimeout(None)
                except OSError:
                    _reset(near)
                    continue
                self.connections += 1
            with self._lock:
                self._pairs.add((near, far))
            state = {"silenced": far is None}
            ways = [(near, far), (far, near)] if far is not None else [(near, None)]
            for source, sink in ways:
                threading.Thread(target=self._pump, args=(source, sink, state), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket | None, state: dict[str, bool]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self._mode is Mode.SILENT:
                    state["silenced"] = True
                # Once bytes were swallowed the rest would be garbage: such a connection stays silent.
                if sink is not None and not state["silenced"]:
                    sink.sendall(data)
        if not state["silenced"] and self._mode is not Mode.SILENT and sink is not None:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

    def _reset(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for each in pair:
                if each is not None:
                    _reset(each)


def _reset(connection: socket.socket) -> None:
    """Close with a reset, as when a router forgets a connection."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
