"""The spool of an attempt: what is logged lies in its folder at once, and is shipped to MLflow later.

This one file is standalone: it also runs in the job's kernel, where our package need not be installed.
Standard library alone, Python 3.9 or later.

A record is one line of JSON in `records.jsonl`, in the order in which things were logged; of each the
fields say what it is:

    {"run": id, "metrics": [...], "params": [...], "tags": [...]}   a piece of runs/log-batch
    {"method": "POST", "path": "/api/2.0/mlflow/...", "body": {...}}   any other request
    {"artifact": "0/<run>/artifacts/a.txt", "file": "<name>"}   a file of `files/`, and where it belongs
    {"end": id, "experiment": id, "status": "FINISHED", "end_time": ms}   the end of the job's run
    {"wake": true}   nothing: somebody wants to read, and MLflow's server does not answer

A record is written by one call, so that threads, forked processes and the server may all append. Once it
is written it survives the death of every process. `tracking/ship.py` reads it.

Whoever logs sees no more than `Sink`. Where the kernel runs on another machine, another sink takes the
same records to the worker, who appends them here; its `flush` raises `Unreachable`, and the kernel then
answers from what it knows itself.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import time
from collections.abc import Callable
from typing import Any

RECORDS = "records.jsonl"
FILES = "files"


class Unreachable(Exception):
    """MLflow's server gave no answer; nothing is lost by it. The text says why."""


class Sink:
    """Where records go. All that the kernel's side of tracking knows of the way to MLflow."""

    def append(self, record: bytes, *, urgent: bool = False) -> None:
        """Take a record, one line of JSON without its end, or several lines.

        Those that are `urgent` are to be shipped at once.

        When this returns, the death of the kernel does not undo it. Raises OSError.
        """
        raise NotImplementedError

    def keep(self, path: str) -> str:
        """Take a copy of the file at `path`; return the name that a record gives to it. Raises OSError."""
        raise NotImplementedError

    def flush(self) -> None:
        """Return when all that was appended is in MLflow. Raises `Unreachable`."""
        raise NotImplementedError


class Spool(Sink):
    """The spool in a folder of this machine."""

    def __init__(
        self,
        folder: str,
        *,
        ship: Callable[[], None] | None = None,
        doorbell: str | None = None,
        name: str = "",
        patience: float = 30.0,
    ) -> None:
        """`ship` ships what is there, or raises `Unreachable`; a flush tries it for `patience` seconds.

        `doorbell` is the datagram socket at which whoever ships listens for `name`.
        """
        self._records = os.path.join(folder, RECORDS)
        self._files = os.path.join(folder, FILES)
        self._ship = ship
        self._doorbell = doorbell
        self._name = name.encode()
        self._patience = patience
        self._descriptor = -1
        self._torn = False
        self._count = 0
        self._has_room = False

    def append(self, record: bytes, *, urgent: bool = False) -> None:
        """See `Sink`."""
        if self._descriptor < 0:
            self._open()
        # After a line that the full disk cut, the next one begins anew.
        line = b"\n" + record + b"\n" if self._torn else record + b"\n"
        written = os.write(self._descriptor, line)
        if written < len(line):
            self._torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._records)
        self._torn = False
        if urgent:
            self.ring()

    def keep(self, path: str) -> str:
        """See `Sink`."""
        name, target = self._room()
        try:
            shutil.copyfile(path, target)
        except BaseException:
            _remove(target)
            raise
        return name

    def keep_content(self, content: bytes) -> str:
        """Take a file of this content; return the name that a record gives to it. Raises OSError."""
        name, target = self._room()
        try:
            with open(target, "xb", buffering=0) as stream:
                _write_all(stream, content)
        except BaseException:
            _remove(target)
            raise
        return name

    def flush(self) -> None:
        """See `Sink`."""
        if self._ship is None:
            raise Unreachable("there is nobody who ships.")
        deadline = time.monotonic() + self._patience
        asked = False
        while True:
            try:
                return self._ship()
            except Unreachable:
                if time.monotonic() > deadline:
                    raise
            if not asked:
                # Whoever ships finds something to do, and starts MLflow's server for it.
                self.append(b'{"wake":true}', urgent=True)
                asked = True
            time.sleep(0.1)

    def ring(self) -> None:
        """Say that there is something to ship now; nobody need listen."""
        if self._doorbell is None:
            return
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            bell.setblocking(False)
            bell.sendto(self._name, self._doorbell)
        except OSError:
            pass  # it is found by looking, a moment later
        finally:
            bell.close()

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            self._descriptor = os.open(self._records, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._records), mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._records, flags, 0o600)

    def _room(self) -> tuple[str, str]:
        """Return the name of a new file, and its path."""
        if not self._has_room:
            os.makedirs(self._files, mode=0o700, exist_ok=True)
            self._has_room = True
        self._count += 1
        name = f"{time.time_ns()}-{os.getpid()}-{self._count}"
        return name, os.path.join(self._files, name)


def _write_all(stream: Any, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[stream.write(view) :]


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)
