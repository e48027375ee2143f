"""How an attempt is laid ready and its worker started."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.environments.build import build
from jupyter_mlws.environments.lock import InterpreterBroken, Lock, read_lock
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.recording import Recorder
from jupyter_mlws.jobs.snapshot import Snapshot, restore
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.forking import Forking
from jupyter_mlws.model.job import Attempt, Job, JobKind, JobSpec, KernelChoice
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.worker.task import Task

Say = Callable[[str], Awaitable[None]]
"""Tells the user what is being done just now."""


class FolderGone(NotFound):
    """The live folder of a job was removed while the job waited."""

    code = "folder_gone"


class Launcher:
    """Makes an attempt's folder, puts into it what the worker needs, and starts the worker."""

    def __init__(
        self,
        *,
        layout: Layout,
        blobs: Blobs,
        doorbell: Path,
        recorder: Recorder,
        forking: Forking | None,
        nice: int,
    ) -> None:
        """`recorder` writes the beginning of the attempt's MLflow run; `forking`: how kernels are forked.

        `nice` is the niceness of jobs that take long.
        """
        self._forking, self._nice = forking, nice
        self._layout = layout
        self._blobs = blobs
        self._doorbell = doorbell
        self._recorder = recorder

    async def launch(
        self, job: Job, attempt: Attempt, folder: AttemptFolder, compute: ComputeBackend, *, say: Say
    ) -> ProcessRef:
        """Start the attempt's worker. Raises errors of ours, FileExistsError when the attempt has begun."""
        beginning = asyncio.ensure_future(asyncio.to_thread(self._begin, job, attempt, folder))
        try:
            await asyncio.shield(beginning)
        except asyncio.CancelledError:
            # The end of the run is written after its beginning, and only where that is there.
            await asyncio.wait([beginning])
            raise
        self._recorder.tell(job, attempt)
        spec = job.spec
        if spec.environment is not None:
            spec = spec.model_copy(update={"kernel": await self._kernel(spec, say)})
        cwd = await self._working_folder(job, folder, say)
        taken = set(range(compute.capacity.gpus)) - set(attempt.gpus)
        variables, _ = compute.environment(gpus=len(attempt.gpus), taken=taken)
        task = Task(
            job=job.id,
            attempt=attempt.number,
            spec=spec,
            cwd=str(cwd),
            notebook=None if spec.notebook is None else str(self._blobs.path(spec.notebook)),
            script=str(cwd / (spec.path or "")) if spec.kind is JobKind.SCRIPT else None,
            inputs=None if spec.inputs is None else str(self._blobs.path(spec.inputs.blob)),
            doorbell=str(self._doorbell),
            tracking=self._recorder.records,
            environment=variables,
            forking=self._forking,
            nice=self._nice,
        )
        await asyncio.to_thread(self._lay_ready, folder, task)
        return await compute.launch(folder.path)

    def _begin(self, job: Job, attempt: Attempt, folder: AttemptFolder) -> None:
        folder.begin()
        self._recorder.begin(job, attempt, folder)

    def _lay_ready(self, folder: AttemptFolder, task: Task) -> None:
        """Write the task once the folder that it runs in is there. Raises `FolderGone`, OSError."""
        cwd = Path(task.cwd)
        if cwd == folder.files.work:
            cwd.mkdir(exist_ok=True)
        elif not cwd.is_dir():
            raise FolderGone(
                f"The folder {cwd} that the job is to run in is not there any more.",
                hint="Put it back and run the job again.",
            )
        folder.write(folder.files.task.name, task.model_dump_json())

    async def _kernel(self, spec: JobSpec, say: Say) -> KernelChoice:
        """Return a kernel with the packages of the job's lock: its own interpreter if it still has them."""
        assert spec.environment is not None
        path = self._blobs.path(spec.environment)
        lock = Lock.model_validate_json(await asyncio.to_thread(path.read_bytes))
        executable = spec.kernel.executable
        python = ".".join(lock.python.split(".")[:2])
        if executable is not None:
            try:
                if (await read_lock(executable)).key == lock.key:
                    return spec.kernel
                python = executable
            except InterpreterBroken:
                await say(f"{executable} is gone; its packages are installed anew")
        await say(f"Installing the {len(lock.requirements)} packages that the job ran with")
        built = await build(lock, self._layout.root / "environments", python=python)
        return KernelChoice(executable=str(built))

    async def _working_folder(self, job: Job, folder: AttemptFolder, say: Say) -> Path:
        spec = job.spec
        if spec.in_snapshot and job.has_snapshot:
            manifest = self._layout.snapshot(job.id)
            snapshot = Snapshot.model_validate_json(await asyncio.to_thread(manifest.read_bytes))
            changed = await asyncio.to_thread(restore, snapshot, self._blobs, folder.files.work)
            if changed and spec.rerun_of is not None:
                await say(f"Changed since the first run, being too large to copy: {', '.join(changed[:5])}")
            return folder.files.work
        return folder.files.work if spec.folder is None else Path(spec.folder)
