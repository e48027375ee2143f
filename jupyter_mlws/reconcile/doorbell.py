"""The doorbell: a datagram socket that wakes the leader at once when a log grew or a job was accepted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

from jupyter_mlws.worker.doorbell import PATIENT

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
        self._hurried = asyncio.Event()
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

    def ring(self, name: str, *, patient: bool = False) -> None:
        """Ring from this process; on the event loop. Who is `patient` can wait for others."""
        self._rung.add(name)
        self._woken.set()
        if not patient:
            self._hurried.set()

    async def wait(self, timeout: float, *, rest: float = 0.0, patience: float = 0.0) -> frozenset[str]:
        """Return who rang since the last call; after `timeout` seconds of silence, nobody.

        Not before `rest` seconds have gone by, and where all are patient, not before `patience` seconds.
        """
        began = time.monotonic()
        if await _set_within(self._woken, timeout):
            await _set_within(self._hurried, patience - (time.monotonic() - began))
            if (left := rest - (time.monotonic() - began)) > 0:
                await asyncio.sleep(left)
        return self._take()

    def _take(self) -> frozenset[str]:
        """Return who rang since the last call."""
        self._woken.clear()
        self._hurried.clear()
        rung, self._rung = frozenset(self._rung), set()
        return rung

    def _receive(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = self._socket.recv(_LONGEST).decode(errors="replace")
                name = packet.removeprefix(PATIENT)
                if self._heard is not None:
                    self._heard(name)
                self.ring(name, patient=name != packet)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event at most so long; return whether it is set."""
    if event.is_set() or seconds <= 0:
        return event.is_set()
    # Not wait_for: before Python 3.12 it can swallow the cancellation that ends the loop.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
