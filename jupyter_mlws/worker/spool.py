"""The worker's end of the attempt's spool, for a kernel that does not share our disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from jupyter_mlws.worker.doorbell import Doorbell


class Spool:
    """Appends what comes from elsewhere; what the files are is in `tracking/spool.py`."""

    def __init__(self, folder: Path, *, doorbell: Doorbell) -> None:
        """Nothing is opened before the first record."""
        self._folder = folder
        self._doorbell = doorbell
        self._descriptor = -1
        self._torn = False

    def append(self, record: bytes, *, urgent: bool) -> None:
        """Append a record, one line of JSON without its end. Raises OSError."""
        if self._descriptor < 0:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / "records.jsonl"
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # One write for a line; after one that the full disk cut, the next one begins anew.
        line = b"\n" + record + b"\n" if self._torn else record + b"\n"
        self._torn = os.write(self._descriptor, line) < len(line)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))
        if urgent:
            self._doorbell.ring(at_once=True)

    def room(self, name: str) -> Path:
        """Return where a file that a record calls `name` belongs."""
        files = self._folder / "files"
        files.mkdir(mode=0o700, parents=True, exist_ok=True)
        return files / name
