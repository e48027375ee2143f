"""The compute `jupyter`: jobs run in kernels of another Jupyter server, driven by workers of this machine."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from jupyter_mlws.compute.warm_kernels import WarmKernels
from jupyter_mlws.kernels.remote.driver import RemoteDriver
from jupyter_mlws.kernels.remote.server import RemoteServer
from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.compute import Capacity, ComputeCheck, ComputeSpec, Guarantees
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote
from jupyter_mlws.processes.identity import ProcessRef


class JupyterCompute:
    """A Jupyter Server, Kernel Gateway or Enterprise Gateway of somebody else, which has nothing of ours."""

    type = "jupyter"
    # Kernels there end with what they started; what detached itself and outlived its kernel may stay.
    guarantees = Guarantees(memory_limit=False, kill=False, survives_server=True, live_folder=False)

    def __init__(
        self,
        spec: ComputeSpec,
        *,
        token: Callable[[], str | None],
        token_file: Path | None,
        launch: Callable[[Path], Awaitable[ProcessRef]],
        warm: WarmKernels | None = None,
    ) -> None:
        """`token` gives it as it is now; workers read `token_file`. `launch` starts a worker here.

        `warm` keeps a kernel ready there once a job has run.
        """
        self._spec, self._token, self._launch, self._warm = spec, token, launch, warm
        self._remote = Remote(
            name=spec.name,
            url=spec.url,
            token_file=None if token_file is None else str(token_file),
            kernel=spec.kernel,
            spares=None if warm is None else str(warm.folder),
        )
        self.name = spec.name
        self.price_per_hour = spec.price_per_hour
        self.capacity = Capacity(cpus=0, memory=0, slots=spec.slots)

    async def launch(self, folder: Path) -> ProcessRef:
        """Start a worker here that drives a kernel there. Raises `LaunchFailed`, OSError."""
        await asyncio.to_thread(_write, AttemptFiles(folder).remote, self._remote.model_dump_json())
        ref = await self._launch(folder)
        if self._warm is not None:
            self._warm.used(self._remote)
        return ref

    def environment(self, *, gpus: int, taken: set[int]) -> tuple[dict[str, str], list[int]]:
        """Return nothing: what its kernels see of the devices there is its own affair."""
        return {}, []

    async def check(self) -> ComputeCheck:
        """Look whether a job could run there now, by starting a kernel and ending it again."""
        found = ComputeCheck(reachable=False)
        try:
            server = RemoteServer(self._spec.url, name=self.name, token=self._token)
            try:
                began = time.monotonic()
                version = await server.version()
                latency = round(time.monotonic() - began, 4)
                found = found.model_copy(update={"server": version, "latency": latency})
                kernels, _ = await server.kernelspecs()
                found = found.model_copy(update={"kernels": sorted(kernels)})
            finally:
                server.close()
            python = await self._python()
        except MlwsError as error:
            return found.model_copy(update={"message": str(error)})
        return found.model_copy(update={"reachable": True, "python": python})

    async def _python(self) -> str | None:
        driver = RemoteDriver(self._remote, session="mlws-check", token=self._token)
        here = Path(tempfile.gettempdir())
        kernel = await driver.start(KernelChoice(), cwd=here, env=os.environ)
        await kernel.close(patience=0)
        return kernel.python


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
