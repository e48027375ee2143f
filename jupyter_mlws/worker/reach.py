"""Brings what a job needs to its kernel, and back what it made, where kernel and worker share no disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TypeVar

from jupyter_mlws.kernels.driver import Kernel
from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.job import JobKind
from jupyter_mlws.worker.attempt_folder import Tracking
from jupyter_mlws.worker.program import Program, script_call
from jupyter_mlws.worker.task import Task

_TEND_SECONDS = 0.2
# What asks there all the same, such as a subprocess, is refused at once.
_NOBODY = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}

T = TypeVar("T")


class Reach:
    """The files of one job, as its kernel sees them."""

    def __init__(
        self, kernel: Kernel, task: Task, files: AttemptFiles, *, tend: Callable[[], Awaitable[None]]
    ) -> None:
        """`tend` is awaited several times a second while files are under way; what it raises ends that."""
        self._kernel, self._task, self._files, self._tend = kernel, task, files, tend

    @property
    def where(self) -> str:
        """Which kernel it is, as the begin of a sentence."""
        there = self._kernel.files
        return "The kernel of the job" + ("" if there is None else f" on {there.where}")

    @property
    def sink(self) -> str | None:
        """An expression of what takes the kernel's records for MLflow; None: the attempt's folder."""
        there = self._kernel.files
        return None if there is None else there.sink

    async def tracking(self, handed: Tracking) -> str:
        """Return the path at which the kernel sees what was handed over for MLflow."""
        there = self._kernel.files
        if there is None:
            return str(self._files.tracking)
        # MLflow's server listens on this machine alone, and its token is not for others.
        kept = {key: value for key, value in handed.environment.items() if key != "MLFLOW_TRACKING_TOKEN"}
        path = self._files.tracking_elsewhere
        content = {
            "environment": {**kept, **_NOBODY},
            "bootstrap": handed.bootstrap,
            "settings": handed.settings,
            "sources": await asyncio.to_thread(_with_texts, handed.sources),
        }
        await asyncio.to_thread(path.write_text, json.dumps(content), encoding="utf-8")
        return await self._tended(there.bring(path))

    async def bring_folder(self) -> str | None:
        """Bring the snapshot that the job runs in; return what a user has to know of the folder."""
        there = self._kernel.files
        if there is None:
            return None
        cwd = Path(self._task.cwd)
        if cwd == self._files.work:
            await self._tended(there.bring_folder(cwd))
            return None
        return (
            f"The cell runs in an empty folder on {there.where}: "
            "submit it with --snapshot to have the files of its folder there."
        )

    def program(self, code: Program) -> Program:
        """Return the program with the script where the kernel sees it."""
        if self._kernel.files is None or self._task.spec.kind is not JobKind.SCRIPT:
            return code
        path = str(PurePosixPath(self._kernel.folder) / (self._task.spec.path or ""))
        call = script_call(path, self._task.spec.values)
        return replace(code, cells=[replace(cell, code=call) for cell in code.cells])

    async def bring(self, path: str) -> str:
        """Return the path at which the kernel sees a file of ours."""
        there = self._kernel.files
        return path if there is None else await self._tended(there.bring(Path(path)))

    async def place(self, folder: Path) -> str:
        """Return the path at which the kernel sees, or gets, our `folder` for what it makes."""
        there = self._kernel.files
        return str(folder) if there is None else await self._tended(there.place(folder))

    async def collect(self, folder: Path) -> None:
        """Have in our `folder` what the kernel left in its own."""
        there = self._kernel.files
        if there is not None:
            await self._tended(there.collect(folder))

    async def _tended(self, work: Awaitable[T]) -> T:
        doing = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait((doing,), timeout=_TEND_SECONDS))[0]:
                await self._tend()
            return doing.result()
        finally:
            doing.cancel()


def _with_texts(sources: Mapping[str, tuple[str, str | None]]) -> dict[str, tuple[str, str]]:
    return {
        name: (path, Path(path).read_text("utf-8") if text is None else text)
        for name, (path, text) in sources.items()
    }
