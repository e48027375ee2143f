"""The doorbell: a datagram socket that wakes the leader at once when a log grew or a job was accepted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

_LONGEST = 512


def ring(path: Path, name: str) -> None:
    """Ring for `name` (a job's id). Never fails, never waits: where nobody listens, the loop looks itself."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        bell.sendto(name.encode()[:_LONGEST], str(path))


class Doorbell:
    """Collects who rang until somebody asks."""

    def __init__(self, path: Path, *, heard: Callable[[str], None] | None = None) -> None:
        """`heard` is told at once who rang from another process, before anybody asks."""
        self._path = path
        self._heard = heard
        self._rung: set[str] = set()
        self._woken = asyncio.Event()
        self._socket: socket.socket | None = None

    def listen(self) -> None:
        """Take the socket over; whoever led before has lost it. Raises OSError."""
        self._path.unlink(missing_ok=True)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            bell.setblocking(False)
            bell.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError:
            bell.close()
            raise
        self._socket = bell
        asyncio.get_running_loop().add_reader(bell, self._receive)

    def close(self) -> None:
        """Listen no more. The path is left: it may be another leader's by now."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def ring(self, name: str) -> None:
        """Ring from this process; on the event loop."""
        self._rung.add(name)
        self._woken.set()

    async def wait(self, timeout: float) -> frozenset[str]:
        """Return who rang since the last call; after `timeout` seconds of silence, nobody."""
        # Not wait_for: before Python 3.12 it can swallow the cancellation that ends the loop.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        return self.rung()

    def rung(self) -> frozenset[str]:
        """Return who rang since the last call, without waiting."""
        self._woken.clear()
        rung, self._rung = frozenset(self._rung), set()
        return rung

    def _receive(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(BlockingIOError):
            while True:
                name = self._socket.recv(_LONGEST).decode(errors="replace")
                if self._heard is not None:
                    self._heard(name)
                self.ring(name)
