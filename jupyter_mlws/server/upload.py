"""Takes a body of any size to disk as it comes, with at most a few MiB of it in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlws.store.blobs import Blobs, BlobWriter

_PIECE = 2**20


class Upload:
    """One blob on its way. Ended by `commit` or `abort`; after `abort` nothing is left of it."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._writer: BlobWriter | None = None
        self._waiting = bytearray()
        self._received = 0
        self._writing: asyncio.Task[None] | None = None
        """Writes a piece while the next one is received."""
        # Writes, the commit and the abort of a connection that broke meanwhile go one after the other.
        self._turn = asyncio.Lock()
        self._over = False

    async def receive(self, piece: bytes) -> None:
        """Take the next bytes. Raises what the store raises when the disk is full or read-only."""
        self._waiting += piece
        self._received += len(piece)
        if len(self._waiting) >= _PIECE:
            await self._written()
            self._writing = asyncio.create_task(self._write_out())

    async def commit(self, sha256: str) -> int:
        """Keep the bytes if their hash is `sha256`; return their number. Raises what the store raises."""
        await self._written()
        await self._write_out()
        async with self._turn:
            writer, self._writer, self._over = self._writer, None, True
            if writer is None:
                writer = await asyncio.to_thread(self._blobs.writer)
            try:
                _, size = await asyncio.to_thread(writer.commit, sha256)
            except BaseException:
                await asyncio.to_thread(writer.abort)
                raise
        return size

    async def abort(self) -> None:
        """Leave nothing of it. Does nothing after `commit`."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        async with self._turn:
            writer, self._writer, self._over = self._writer, None, True
            self._waiting.clear()
            if writer is not None:
                await asyncio.to_thread(writer.abort)

    async def _written(self) -> None:
        """Wait for the piece that is being written. Raises what the store raises."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def _write_out(self) -> None:
        async with self._turn:
            if self._over or not self._waiting:
                return
            piece, self._waiting = self._waiting, bytearray()
            if self._writer is None:
                self._writer = await asyncio.to_thread(self._blobs.writer)
            await asyncio.to_thread(self._writer.write, piece)
