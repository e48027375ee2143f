"""Sends blobs before the job that needs them, and none that the server is known to have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from jupyter_mlws.client.prepared import Blob
from jupyter_mlws.client.transport import Door

_SMALL = 256 * 1024  # bytes that are sent sooner than it is asked whether they are there
_KNOWN_SECONDS = 3600.0  # the server keeps what no job needs for a day
_MOST = 10_000


class BlobSender:
    """Remembers what was sent lately, and sends what many ask for at once a single time."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._known: dict[str, float] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(self, blob: Blob, *, progress: Callable[[int], None] | None = None) -> None:
        """Send `blob` unless the server has it; `progress` is told how many bytes have gone."""
        turn = self._turns.setdefault(blob.sha256, asyncio.Lock())
        async with turn:
            if time.monotonic() - self._known.get(blob.sha256, -_KNOWN_SECONDS) < _KNOWN_SECONDS:
                return
            path = f"/blobs/{blob.sha256}"
            if blob.size <= _SMALL or not await self._door.exists(path):
                await self._door.upload(path, blob.source, blob.size, progress=progress)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[blob.sha256] = time.monotonic()

    def forget(self, sha256: str) -> None:
        """Believe no more that the server has it."""
        self._known.pop(sha256, None)
