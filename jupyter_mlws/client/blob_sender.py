"""Sends blobs before the job that needs them, and none that the server is known to have."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from weakref import WeakValueDictionary

from jupyter_mlws.client.failures import ServerUnreachable
from jupyter_mlws.client.prepared import Blob
from jupyter_mlws.client.transport import Door, is_loopback
from jupyter_mlws.model.blob_files import BLOBS, INCOMING
from jupyter_mlws.model.errors import NotFound

_SMALL = 256 * 1024  # bytes that are sent sooner than it is asked whether they are there
_QUICK = 64 << 20  # bytes that are handed over in no more time than it is asked whether they are there
_LARGE = 1 << 30  # bytes that are sent piece by piece, so that it can be shown how far that is
_KNOWN_SECONDS = 3600.0  # the server keeps what no job needs for a day
_MOST = 10_000
_PIECE = 1 << 20


class BlobSender:
    """Remembers what was sent lately, and sends what many ask for at once a single time."""

    def __init__(self, door: Door, *, workspace: Path) -> None:
        """`workspace` is its path on the server's machine, which may be this one."""
        self._door = door
        self._incoming = workspace / BLOBS / INCOMING
        self._known: dict[str, float] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def send(self, blob: Blob, *, progress: Callable[[int], None] | None = None) -> None:
        """Send `blob` unless the server has it; `progress` is told how many bytes have gone."""
        turn = self._turns.setdefault(blob.sha256, asyncio.Lock())
        async with turn:
            if time.monotonic() - self._known.get(blob.sha256, -_KNOWN_SECONDS) < _KNOWN_SECONDS:
                return
            await self._bring(f"/blobs/{blob.sha256}", blob, progress)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[blob.sha256] = time.monotonic()

    async def _bring(self, path: str, blob: Blob, progress: Callable[[int], None] | None) -> None:
        near = _SMALL < blob.size <= _LARGE and is_loopback(self._door.address.url)
        if blob.size > (_QUICK if near else _SMALL) and await self._door.exists(path):
            return
        # Where handing over has failed it may have arrived after all.
        if near and (await self._hand_over(path, blob) or await self._door.exists(path)):
            if progress is not None:
                progress(blob.size)
            return
        await self._door.upload(path, blob.source, blob.size, progress=progress)

    async def _hand_over(self, path: str, blob: Blob) -> bool:
        """Lay the bytes where the server takes them, without a request's body; False where that cannot be."""
        name = secrets.token_hex(16)
        laid = self._incoming / name
        try:
            await asyncio.to_thread(_lay, blob.source, laid)
            await self._door.json("PUT", path, query={"incoming": name})
        except (OSError, NotFound, ServerUnreachable):
            return False  # another machine behind a tunnel, another user's workspace, a disk that is too slow
        finally:
            await asyncio.to_thread(_remove, laid)
        return True

    def forget(self, sha256: str) -> None:
        """Believe no more that the server has it."""
        self._known.pop(sha256, None)


def _lay(source: IO[bytes], place: Path) -> None:
    source.seek(0)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as target:
        shutil.copyfileobj(source, target, _PIECE)


def _remove(place: Path) -> None:
    with contextlib.suppress(OSError):  # the server has renamed it
        place.unlink()
