"""Takes what a job's code logs with MLflow on another server into the spool here, in order."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from jupyter_mlws.kernels.remote.caller import CallFailed
from jupyter_mlws.kernels.remote.files import RemoteFiles
from jupyter_mlws.kernels.remote.line import Say
from jupyter_mlws.kernels.remote.server import KernelGone
from jupyter_mlws.model.errors import MlwsError

_NAME = re.compile(r"[0-9]+(-[0-9]+)*")


class RecordSpool(Protocol):
    """The spool of an attempt, on this machine."""

    def append(self, record: bytes, *, urgent: bool) -> None:
        """Append a line of JSON without its end; `urgent` ones are to be shipped at once. Raises OSError."""

    def room(self, name: str) -> Path:
        """Return where the file belongs that a record calls `name`. Raises OSError."""


class Records:
    """A queue of what was logged: the files that a record names are fetched before it is appended."""

    def __init__(self, spool: RecordSpool | None, *, name: str, say: Say) -> None:
        """Without a `spool`, all is dropped. `name` is the compute's."""
        self._spool, self._name, self._say = spool, name, say
        self._queue: asyncio.Queue[tuple[bytes, Mapping[str, Any]]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._complained = False

    def begin(self, files: RemoteFiles) -> None:
        """Take what comes from now on."""
        self._task = asyncio.create_task(self._run(files))

    def take(self, data: bytes, about: Mapping[str, Any]) -> None:
        """Queue a record, or the announcement of a file; see `inside.Remote`."""
        if self._spool is not None:
            self._queue.put_nowait((data, about))

    async def close(self, *, patience: float) -> None:
        """Wait up to `patience` seconds for what was taken, and take no more."""
        if self._task is None:
            return
        if patience > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._queue.join(), patience)
        self._task.cancel()
        await asyncio.wait((self._task,))
        # What needs nobody any more is kept in any case.
        while not self._queue.empty():
            data, about = self._queue.get_nowait()
            if data:
                self._append(data, about)

    async def _run(self, files: RemoteFiles) -> None:
        while True:
            data, about = await self._queue.get()
            if data:
                self._append(data, about)
            else:
                await self._fetch(files, str(about.get("file")), int(about.get("size", 0)))
            self._queue.task_done()

    def _append(self, data: bytes, about: Mapping[str, Any]) -> None:
        assert self._spool is not None
        try:
            self._spool.append(data, urgent=bool(about.get("urgent")))
        except OSError as error:
            self._complain(f"What the job logs with MLflow cannot be kept: {error.strerror or error}.")

    async def _fetch(self, files: RemoteFiles, name: str, length: int) -> None:
        assert self._spool is not None
        if not _NAME.fullmatch(name):  # it names a file here, and comes from the user's code
            return
        try:
            await files.fetch_logged(name, self._spool.room(name), length=length)
        except (MlwsError, KernelGone, CallFailed) as error:
            self._complain(f"A file that the job logged did not come from {self._name}: {error}")
        except OSError as error:
            self._complain(f"A file that the job logged cannot be kept: {error.strerror or error}.")

    def _complain(self, text: str) -> None:
        if not self._complained:
            self._complained = True
            self._say(text, "warning")
