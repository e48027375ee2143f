"""The attempt's event log on disk: whole lines, in order, and a true last line even on a full disk."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlws.model.events import LogEvent
from jupyter_mlws.worker.doorbell import Doorbell

_BUFFER_BYTES = 1 << 20
_RESERVE_BYTES = 64 * 1024


class EventLog:
    """Appends events to `events.jsonl`. Nothing is written in part: a line that did not fit is taken back."""

    def __init__(self, path: Path, *, reserve: Path, doorbell: Doorbell) -> None:
        """Create the log; `reserve` becomes a file whose room the last lines get when the disk is full."""
        self._path = path
        self._reserve = reserve
        self._doorbell = doorbell
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size
        self._buffer: list[bytes] = []
        self._buffered = 0
        self.failure: OSError | None = None
        """Why nothing more can be written; None while all is well."""
        try:
            reserve.write_bytes(b"\0" * _RESERVE_BYTES)
        except OSError as error:
            self.failure = error

    def append(self, event: LogEvent) -> None:
        """Append an event and write it at once."""
        self._append(event.model_dump_json(exclude_none=True).encode())
        self.flush()

    def append_output(self, output: Mapping[str, Any], *, cell: int, display_id: str | None = None) -> None:
        """Append an `Output` event; it may stay in memory until `flush`. Raises ValueError for NaN in it."""
        event: dict[str, Any] = {"t": round(time.time(), 6), "type": "output", "cell": cell, "output": output}
        if display_id is not None:
            event["display_id"] = display_id
        # By hand, since this is the path on which a gigabyte goes.
        text = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._append(text.encode("utf-8", "replace"))

    def flush(self) -> None:
        """Write what is in memory, and ring the doorbell."""
        if self._buffer and self.failure is None:
            data = b"".join(self._buffer)
            self._buffer, self._buffered = [], 0
            self._write(data)
            self._doorbell.ring()

    def finish(self, events: list[LogEvent]) -> None:
        """Write the last events, whatever it takes, and make sure that they are on the disk."""
        self.flush()
        data = b"".join(event.model_dump_json(exclude_none=True).encode() + b"\n" for event in events)
        self.failure = None
        with contextlib.suppress(OSError):
            self._reserve.unlink()
        self._write(data)
        with contextlib.suppress(OSError):
            os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._doorbell.ring(at_once=True)

    def _append(self, line: bytes) -> None:
        if self.failure is not None:
            return
        self._buffer += (line, b"\n")
        self._buffered += len(line) + 1
        if self._buffered >= _BUFFER_BYTES:
            self.flush()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
            self._size += len(data)
        except OSError as error:
            self.failure = error
            written = data[: len(data) - len(view)]
            # Whole lines stay; the rest of the last one is taken back.
            self._size += written.rfind(b"\n") + 1
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
