"""The compute `local`: workers are processes of this machine, detached from the server that starts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpecManager

from jupyter_mlws.compute.threads import RESTING
from jupyter_mlws.forking.client import ForkServer, Recipe
from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.compute import LOCAL, Capacity, ComputeCheck, Guarantees
from jupyter_mlws.model.errors import NotReady
from jupyter_mlws.model.forking import Forking
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.processes.watch import Watch

_MEMORY_SHARE = 0.9  # the rest is for the system, the servers and the notebooks
# A worker belongs to nobody: no variable may tie it or its kernel to the server that happened to start it.
_NOT_INHERITED = ("JPY_PARENT_PID", "JPY_SESSION_NAME", "JUPYTER_TOKEN", "KERNEL_LAUNCH_TIMEOUT")


_ENTRY = "jupyter_mlws.worker.__main__:run"
_WORKER_MODULES = (
    "IPython.paths",  # where kernelspecs are looked for
    "ipykernel.kernelspec",
    "jupyter_client.asynchronous",
    "jupyter_client.kernelspec",
    "jupyter_mlws.kernels.remote.driver",  # workers of jobs that run elsewhere are forked here, too
    "jupyter_mlws.worker.attempt",
    "jupyter_mlws.worker.environment_record",
    "jupyter_mlws.worker.executed_notebook",
    "jupyter_mlws.worker.known_environment",
    "jupyter_mlws.worker.outputs",
    "jupyter_mlws.worker.spool",
)


class LaunchFailed(NotReady):
    """The operating system refused to start a worker."""

    code = "launch_failed"


class LocalCompute:
    """Slots by CPU, memory and GPU on this machine."""

    name = LOCAL
    type = LOCAL
    guarantees = Guarantees(memory_limit=True, kill=True, survives_server=True, live_folder=True)

    def __init__(
        self,
        *,
        cpus: float | None = None,
        memory: int | None = None,
        gpus: int | None = None,
        price_per_hour: float = 0.0,
        forking: Forking | None = None,
    ) -> None:
        """Take what is given, and find out the rest: all CPUs, 90 % of the memory (bytes), all GPUs."""
        self._forking = forking
        self._devices = visible_gpus() if gpus is None else list(range(gpus))
        self.price_per_hour = price_per_hour
        self.capacity = Capacity(
            cpus=available_cpus() if cpus is None else cpus,
            memory=int(psutil.virtual_memory().total * _MEMORY_SHARE) if memory is None else memory,
            gpus=len(self._devices),
        )

    async def check(self) -> ComputeCheck:
        """Return what there is; this machine can always be reached."""
        kernels = await asyncio.to_thread(KernelSpecManager().find_kernel_specs)
        return ComputeCheck(reachable=True, kernels=sorted(kernels), python=platform.python_version())

    async def launch(self, folder: Path) -> ProcessRef:
        """Start a worker in a session of its own, so that neither a signal nor our end reaches it."""
        spawning = asyncio.ensure_future(asyncio.to_thread(self._launch, folder))
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            spawning.add_done_callback(_reap)
            raise

    def _launch(self, folder: Path) -> ProcessRef:
        inherited = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
        environment = {**RESTING, **inherited}
        log = AttemptFiles(folder).log
        try:
            with log.open("ab") as stream:
                if (forked := self._fork(folder, environment, output=stream.fileno())) is not None:
                    return forked
                process = subprocess.Popen(
                    [sys.executable, "-m", "jupyter_mlws.worker", str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=folder,
                    start_new_session=True,
                    close_fds=True,
                )
        except OSError as error:
            raise LaunchFailed(
                f"A worker could not be started: {error.strerror or error}.",
                hint="See whether the machine is out of processes, memory or disk space.",
            ) from error
        # The watch reaps it; Popen would complain in its destructor about a child that still runs.
        process.returncode = 0
        return ProcessRef.of(process.pid) or ProcessRef(process.pid, 0.0)

    def _fork(self, folder: Path, environment: dict[str, str], *, output: int) -> ProcessRef | None:
        if self._forking is None or not ForkServer.supported(Path(self._forking.root)):
            return None
        recipe = Recipe(
            executable=sys.executable,
            entry=_ENTRY,
            preload=_WORKER_MODULES,
            ahead=self._forking.spares,
            idle=self._forking.idle,
        )
        server = ForkServer(Path(self._forking.root), recipe, environment)
        pid = server.spawn(str(folder), cwd=folder, environment=environment, output=output)
        if pid is None:
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                server.start()
            return None
        return ProcessRef.of(pid) or ProcessRef(pid, 0.0)

    def environment(self, *, gpus: int, taken: set[int]) -> tuple[dict[str, str], list[int]]:
        """Return CUDA_VISIBLE_DEVICES for the first `gpus` devices that are not `taken`."""
        chosen = [device for device in self._devices if device not in taken][:gpus]
        if not self._devices:
            return {}, []
        return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, chosen))}, chosen


def _reap(spawning: asyncio.Future[ProcessRef]) -> None:
    """Collect a child that nobody follows when it ends, so that no zombie stays."""
    if not spawning.cancelled() and spawning.exception() is None:
        Watch(spawning.result(), lambda: None)


def available_cpus() -> float:
    """Return how many CPUs this process may use: its affinity, less where a container has a quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _container_quota()
    return float(affinity) if quota is None else max(1.0, min(float(affinity), quota))


def _container_quota() -> float | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def visible_gpus() -> list[int]:
    """Return the numbers of the NVIDIA devices of this machine, less what CUDA_VISIBLE_DEVICES hides."""
    found = sorted(
        int(path.name.removeprefix("nvidia"))
        for path in Path("/dev").glob("nvidia[0-9]*")
        if path.name.removeprefix("nvidia").isdigit()
    )
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return found
    wanted = {int(part) for part in allowed.split(",") if part.strip().isdigit()}
    return [device for device in found if device in wanted]
