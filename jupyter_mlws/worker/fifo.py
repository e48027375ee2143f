"""A queue of messages that keeps little in memory: what does not fit lies in a file without a name."""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

_COUNT = struct.Struct("<I")
_SIZE = struct.Struct("<Q")


class Fifo:
    """First in, first out. Messages are lists of frames as ZMQ gives them.

    A kernel may print faster than its output can be taken apart and written. ZMQ would either drop
    messages or hold all of them in memory.
    """

    def __init__(self, *, folder: Path, memory: int) -> None:
        """Keep at most about `memory` bytes in memory, the rest in an unnamed file in `folder`."""
        self._folder = folder
        self._memory = memory
        self._early: deque[list[bytes]] = deque()
        self._early_bytes = 0
        self._file: BinaryIO | None = None
        self._read_at = 0
        self._write_at = 0
        self._late: deque[list[bytes]] = deque()  # came after those in the file, when the disk was full

    def __bool__(self) -> bool:
        return bool(self._early or self._late) or self._read_at < self._write_at

    def push(self, frames: Sequence[bytes]) -> None:
        """Append a message. When the disk is full it stays in memory."""
        size = sum(map(len, frames))
        on_disk = self._read_at < self._write_at
        if not (on_disk or self._late) and (not self._early or self._early_bytes + size <= self._memory):
            self._early.append(list(frames))
            self._early_bytes += size
        elif self._late or not self._spill(frames):
            self._late.append(list(frames))

    def pop(self) -> list[bytes] | None:
        """Take the oldest message; None when there is none."""
        if self._early:
            frames = self._early.popleft()
            self._early_bytes -= sum(map(len, frames))
            return frames
        if self._read_at < self._write_at:
            return self._unspill()
        return self._late.popleft() if self._late else None

    def close(self) -> None:
        """Forget everything."""
        self._early.clear()
        self._late.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._read_at = self._write_at = 0

    def _spill(self, frames: Sequence[bytes]) -> bool:
        """Append a message to the file; False when the disk does not take it."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by close
            parts = [_COUNT.pack(len(frames))]
            for frame in frames:
                parts += [_SIZE.pack(len(frame)), frame]
            self._file.seek(self._write_at)
            record = b"".join(parts)
            written = 0
            while written < len(record):
                written += self._file.write(memoryview(record)[written:])
        except OSError:
            return False
        self._write_at += len(record)
        return True

    def _unspill(self) -> list[bytes]:
        assert self._file is not None
        self._file.seek(self._read_at)
        (count,) = _COUNT.unpack(self._file.read(_COUNT.size))
        frames = []
        for _ in range(count):
            (size,) = _SIZE.unpack(self._file.read(_SIZE.size))
            frames.append(_read(self._file, size))
        self._read_at = self._file.tell()
        if self._read_at == self._write_at:
            self._read_at = self._write_at = 0
            self._file.truncate(0)
        return frames


def _read(file: BinaryIO, size: int) -> bytes:
    pieces = []
    while size:
        piece = file.read(size)
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
