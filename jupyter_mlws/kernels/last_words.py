"""The end of what a process writes to a pipe, read as it comes so that the process never waits."""

from __future__ import annotations

import asyncio
import contextlib
import os

_KEEP_BYTES = 16 * 1024
_READ_BYTES = 1 << 20


class LastWords:
    """A pipe whose writing end is handed to a process; only the last 16 KiB are kept."""

    def __init__(self, reader: int | None = None) -> None:
        """Make a pipe, or read from one whose writing end somebody else has; `reader` is ours then."""
        self._reader, self.writer = os.pipe() if reader is None else (reader, -1)
        os.set_blocking(self._reader, False)
        self._kept = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reader, self._read)
        self._open = True

    def close_writer(self) -> None:
        """Close our copy of the writing end, once the process has its own."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def text(self) -> str:
        """What was kept, without the white space around it."""
        self._read()
        return self._kept.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Stop reading."""
        self.close_writer()
        if self._open:
            self._open = False
            self._loop.remove_reader(self._reader)
            os.close(self._reader)

    def _read(self) -> None:
        while self._open:
            with contextlib.suppress(BlockingIOError, InterruptedError):
                piece = os.read(self._reader, _READ_BYTES)
                if not piece:
                    # Closed by all writers: there is nothing to wait for any more.
                    self._loop.remove_reader(self._reader)
                    return
                self._kept += piece
                del self._kept[:-_KEEP_BYTES]
                continue
            return
