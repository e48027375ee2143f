"""The driver `plain`: any kernelspec by its name, or any Python with ipykernel, as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlws.kernels.driver import KernelNotFound, KernelStartFailed, Promises, Usage
from jupyter_mlws.kernels.last_words import LastWords
from jupyter_mlws.kernels.process_tree import ProcessTree, adopt_orphans
from jupyter_mlws.model.attempt_files import CONNECTION_FILE, KERNEL_FOLDER
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.processes.runtime_folder import system_folder

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

_POLL_SECONDS = 0.01
_SHORT = 70  # characters: a socket's whole path holds 104 on macOS, 108 on Linux
# A shared history file is locked by the kernels that use it, and a job's cells do not belong in it.
_NO_HISTORY = "--HistoryManager.hist_file=:memory:"
# What `-m ipykernel_launcher` does, without the debugger: nobody debugs a job, and its import is a third
# of the time that a kernel takes to start.
_LAUNCH = (
    "import sys; sys.modules['debugpy'] = None; sys.path[:1] = []; "
    "from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)


class PlainDriver:
    """Starts each kernel as a new process, in a session and process group of its own."""

    promises = Promises()

    def __init__(self, *, alone: bool = False, note: Callable[[Path], None] = lambda place: None) -> None:
        """With `alone` this process runs one kernel and no other children: detached ones are found too.

        `note` gets the folder of a kernel's sockets before it is made. Its kernel removes it when it is
        closed; whoever finds this process killed can remove it then.
        """
        self._alone = alone
        self._note = note

    async def start(self, choice: KernelChoice, *, cwd: Path, env: Mapping[str, str]) -> PlainKernel:
        """Start a kernel; see `Driver.start`."""
        from jupyter_client.manager import AsyncKernelManager

        spec = kernel_spec(choice)
        adopter = os.getpid() if self._alone and adopt_orphans() else None
        place = Path(_short_folder(), KERNEL_FOLDER + secrets.token_hex(4))
        self._note(place)
        place.mkdir(mode=0o700)  # noqa: ASYNC240 - in memory, and at once
        manager = AsyncKernelManager(
            connection_file=str(place / CONNECTION_FILE), kernel_name=choice.name or ""
        )
        manager._kernel_spec = spec
        if choice.executable:
            # Files instead of ports: no other process can take one between its choice and its use.
            manager.transport, manager.ip = "ipc", str(place / "k")
        words = LastWords()
        try:
            await _launch(manager, cwd=cwd, env=env, words=words, history=_is_ipykernel(spec))
        except BaseException as error:
            words.close()
            shutil.rmtree(place, ignore_errors=True)
            if not isinstance(error, Exception):
                raise
            raise KernelStartFailed(
                f"The kernel {_title(choice)} could not be started: {error}.",
                hint=f"Its command is {spec.argv[0]!r}.",
            ) from error
        return PlainKernel(manager, words=words, place=place, adopter=adopter, folder=cwd)


class PlainKernel:
    """A kernel that `PlainDriver` started."""

    files = None

    def __init__(
        self, manager: AsyncKernelManager, *, words: LastWords, place: Path, adopter: int | None, folder: Path
    ) -> None:
        self.folder = str(folder)
        self._manager = manager
        self._words = words
        self._place = place
        # A provisioner of somebody else may run the kernel elsewhere, and know no process.
        self._process: Any = getattr(manager.provisioner, "process", None)
        self.pid: int | None = None if self._process is None else self._process.pid
        self._tree = None if self.pid is None else ProcessTree(self.pid, adopter=adopter)
        ref = None if self._tree is None else self._tree.ref
        self.process_started = None if ref is None else ref.started
        self.language = str(manager.kernel_spec.language or "").lower() if manager.kernel_spec else ""
        self.client: Any = manager.client()

    async def interrupt(self) -> None:
        """Interrupt the code that runs."""
        with contextlib.suppress(RuntimeError):  # it died just now
            await self._manager.interrupt_kernel()

    async def terminate(self) -> None:
        """Send SIGTERM to the process group."""
        if self._tree is not None:
            self._tree.signal_group(signal.SIGTERM)
        elif self._manager.provisioner is not None:
            await self._manager.provisioner.terminate()

    async def kill(self) -> None:
        """Send SIGKILL to the process group, and to descendants that left it."""
        if self._tree is not None:
            await asyncio.to_thread(self._tree.kill)
            await self._ended(patience=5)
        elif self._manager.provisioner is not None:
            await self._manager.provisioner.kill()

    async def alive(self) -> bool:
        """Whether the kernel's process runs."""
        if self._process is not None:
            return self._process.poll() is None
        return bool(await self._manager.is_alive())

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal."""
        return None if self._process is None else self._process.poll()

    async def usage(self) -> Usage | None:
        """What the process tree uses."""
        return None if self._tree is None else await asyncio.to_thread(self._tree.usage)

    def give_way(self, nice: int) -> None:
        """Have all processes give way."""
        if self._tree is not None:
            self._tree.give_way(nice)

    def last_words(self) -> str:
        """The end of what was written to stdout and stderr outside of Jupyter's channels."""
        return self._words.text()

    def epitaph(self) -> None:
        """Its exit code tells all."""

    async def packages(self) -> None:
        """Its disk tells."""

    async def close(self, *, patience: float) -> None:
        """Ask the kernel to end, then kill all of it."""
        try:
            if await self.alive() and patience > 0:
                if self._tree is not None:
                    # Once the kernel is gone, children that left its group could no longer be found.
                    await asyncio.to_thread(self._tree.processes)
                await self._manager.request_shutdown()
                await self._ended(patience=patience)
        finally:
            await self.kill()
            with contextlib.suppress(RuntimeError, OSError):
                await self._manager.cleanup_resources()
            self._words.close()
            shutil.rmtree(self._place, ignore_errors=True)

    async def _ended(self, *, patience: float) -> None:
        deadline = asyncio.get_running_loop().time() + patience
        while await self.alive() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - processes only
            await asyncio.sleep(_POLL_SECONDS)


async def _launch(
    manager: AsyncKernelManager, *, cwd: Path, env: Mapping[str, str], words: LastWords, history: bool
) -> None:
    try:
        await manager.start_kernel(
            cwd=str(cwd),
            env=dict(env),
            stdout=words.writer,
            stderr=words.writer,
            extra_arguments=[_NO_HISTORY] if history else [],
        )
    finally:
        words.close_writer()


def _short_folder() -> str:
    """Where sockets lie: a folder of this user alone that the system clears, if its path is short enough."""
    folder = system_folder()
    return str(folder) if folder is not None and len(str(folder)) <= _SHORT else tempfile.gettempdir()


def kernel_spec(choice: KernelChoice) -> KernelSpec:
    """Return how a kernel is started. Raises `KernelNotFound`."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

    if choice.executable:
        if not (Path(choice.executable).is_file() and os.access(choice.executable, os.X_OK)):
            raise KernelNotFound(
                f"There is no Python at {choice.executable!r}.",
                hint="Submit again from a running kernel, or name a kernelspec.",
            )
        return KernelSpec(
            argv=[choice.executable, "-c", _LAUNCH, "-f", "{connection_file}"],
            display_name=choice.executable,
            language="python",
        )
    manager = KernelSpecManager()
    name = choice.name or "python3"
    try:
        return manager.get_kernel_spec(name)
    except (NoSuchKernel, ValueError, OSError) as error:
        there = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise KernelNotFound(
            f"There is no kernel called {name[:100]!r} on this machine.",
            hint=f"There are: {there}.",
        ) from error


def _is_ipykernel(spec: KernelSpec) -> bool:
    return any(part in ("ipykernel", "ipykernel_launcher", _LAUNCH) for part in spec.argv)


def _title(choice: KernelChoice) -> str:
    return repr(choice.executable or choice.name or "python3")
