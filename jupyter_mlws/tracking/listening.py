"""The two sockets at which MLflow's server listens: made before it starts, and kept when it has ended."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from pathlib import Path
from typing import Self

from jupyter_mlws.model.errors import NotReady
from jupyter_mlws.tracking.address import SOCKET

_PATIENCE_PORT = 3.0
_WAITING = 1024
"""Connections that may wait for a server that is just starting."""


class TrackingFailed(NotReady):
    """MLflow's server did not start, or does not answer."""

    code = "tracking_failed"


class Listening:
    """Both sockets, listening: whoever connects waits until a process that has them too answers."""

    def __init__(self, tcp: socket.socket, unix: socket.socket) -> None:
        self.tcp = tcp
        self.unix = unix
        for each in self.both:
            each.setblocking(False)
        self._file = _file_at(self.path)

    @classmethod
    def received(cls, descriptors: list[int]) -> Self:
        """Take over the descriptors of the TCP and the unix socket, in this order."""
        tcp, unix = descriptors
        # The protocol must be named: asyncio switches Nagle's delay of 40 ms off for IPPROTO_TCP alone.
        return cls(
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=tcp),
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=unix),
        )

    @classmethod
    def begin(cls, runtime: Path, *, port: int) -> Self:
        """Listen on `port` of the loopback interface if it is free and not 0, else on any; and in `runtime`.

        May take 3 seconds. Raises `TrackingFailed`.
        """
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            _listen_on_loopback(tcp, port=port)
            return cls(tcp, _listen_in(runtime))
        except BaseException:
            tcp.close()
            raise

    @property
    def both(self) -> tuple[socket.socket, socket.socket]:
        """The TCP socket and the unix socket."""
        return self.tcp, self.unix

    @property
    def port(self) -> int:
        """The port of the TCP socket."""
        return int(self.tcp.getsockname()[1])

    @property
    def path(self) -> Path:
        """The path of the unix socket."""
        return Path(os.fsdecode(self.unix.getsockname()))

    def renew_path(self, runtime: Path) -> None:
        """See that the path leads to the unix socket: somebody may have tidied up there."""
        if self._file is None or _file_at(self.path) != self._file:
            unix = _listen_in(runtime)
            self.unix.close()
            self.unix, self._file = unix, _file_at(Path(os.fsdecode(unix.getsockname())))
            unix.setblocking(False)

    def again(self) -> Listening:
        """The same sockets once more; each of the two is to be closed."""
        return Listening(self.tcp.dup(), self.unix.dup())

    def turn_away(self) -> None:
        """Break off the connections that wait: nobody will answer them."""
        for each in self.both:
            with contextlib.suppress(OSError):
                while True:
                    each.accept()[0].close()

    def close(self) -> None:
        """Close both. Where no other process has them, who waits is refused."""
        for each in self.both:
            each.close()


def _listen_on_loopback(tcp: socket.socket, *, port: int) -> None:
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if port == 0 or not _bind_patiently(tcp, port):
        tcp.bind(("127.0.0.1", 0))
    tcp.listen(_WAITING)


def _bind_patiently(tcp: socket.socket, port: int) -> bool:
    # The threads of a server that was just killed hold the port for a moment after its process is gone.
    deadline = time.monotonic() + _PATIENCE_PORT
    while True:
        try:
            tcp.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _listen_in(runtime: Path) -> socket.socket:
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = runtime / SOCKET
    path.unlink(missing_ok=True)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        unix.bind(os.fspath(path))
    except OSError as error:
        unix.close()
        raise TrackingFailed(
            f"MLflow's server cannot listen at {path}: {error}.",
            hint="Set XDG_RUNTIME_DIR to a folder with a short path on a local disk.",
        ) from error
    path.chmod(0o600)
    unix.listen(_WAITING)
    return unix


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
