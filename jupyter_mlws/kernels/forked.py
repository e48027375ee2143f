"""The driver `forked`: kernels taken from a fork server that has imported what jobs import."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from jupyter_mlws.forking.client import ForkServer, Recipe, Taken
from jupyter_mlws.kernels.driver import Driver, Kernel, KernelNotFound, Promises, Usage
from jupyter_mlws.kernels.forkable import python_of
from jupyter_mlws.kernels.last_words import LastWords
from jupyter_mlws.kernels.plain import kernel_spec
from jupyter_mlws.kernels.process_tree import ProcessTree
from jupyter_mlws.model.forking import Forking
from jupyter_mlws.model.job import KernelChoice

_ENTRY = f"{Path(__file__).parent.parent / 'forking' / 'kernel_child.py'}:run"
# What a kernel's own start imports and what nearly every one of them imports a moment later.
_KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
)
_END_SECONDS = 5.0


class ForkedDriver:
    """Takes kernels from a fork server where that can be, else has `plain` start them.

    Where no fork server answers one is started for the kernels to come, and this one is a plain one.
    """

    promises = Promises()

    def __init__(
        self, forking: Forking, *, plain: Driver, note: Callable[[Path], None] = lambda place: None
    ) -> None:
        """`note` is told the folder of the kernel's sockets; see `PlainDriver`."""
        self._note = note
        self._forking = forking
        self._plain = plain

    async def start(self, choice: KernelChoice, *, cwd: Path, env: Mapping[str, str]) -> Kernel:
        """Start a kernel; see `Driver.start`."""
        taken = await asyncio.to_thread(self._take, choice, cwd, env)
        if taken is None:
            return await self._plain.start(choice, cwd=cwd, env=env)
        self._note(taken.place)
        return ForkedKernel(taken, folder=cwd)

    def _take(self, choice: KernelChoice, cwd: Path, env: Mapping[str, str]) -> Taken | None:
        forking, root = self._forking, Path(self._forking.root)
        executable = _python(choice) if ForkServer.supported(root) else None
        if executable is None or not os.access(executable, os.X_OK):
            return None
        recipe = Recipe(
            executable=executable,
            entry=_ENTRY,
            preload=(*_KERNEL, *forking.preload),
            helpers=forking.helpers,
            spares=forking.spares,
            idle=forking.idle,
        )
        server = ForkServer(root, recipe, env)
        taken = server.take()
        if taken is None:
            # A plain kernel says better what is wrong with this Python or this folder.
            with contextlib.suppress(OSError, CalledProcessError):
                server.start()
            return None
        try:
            taken.begin(cwd=cwd, environment=env)
        except OSError:
            taken.close()
            return None
        return taken


class ForkedKernel:
    """A kernel that a fork server's child is."""

    language = "python"
    files = None

    def __init__(self, taken: Taken, *, folder: Path) -> None:
        self.folder = str(folder)
        self._taken = taken
        self._exit_code: int | None = None
        self._gone = False
        self._ended = asyncio.Event()
        self._released = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._words = LastWords(taken.words)
        taken.words = -1
        self.pid: int | None = taken.pid
        self._tree = ProcessTree(taken.pid, adopter=taken.keeper, forked=True)
        self.process_started = None if self._tree.ref is None else self._tree.ref.started
        self.client: Any = _client(taken.place / "kernel.json")
        taken.leash.setblocking(False)
        self._loop.add_reader(taken.leash, self._hear)

    async def interrupt(self) -> None:
        """Interrupt the code that runs."""
        self._tree.signal_group(signal.SIGINT)

    async def terminate(self) -> None:
        """Send SIGTERM to the process group."""
        self._tree.signal_group(signal.SIGTERM)

    async def kill(self) -> None:
        """Send SIGKILL to the process group, and to descendants that left it."""
        await asyncio.to_thread(self._tree.kill)
        await self._wait(self._ended, patience=_END_SECONDS)

    async def alive(self) -> bool:
        """Whether the kernel's process runs."""
        return not self._ended.is_set()

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal."""
        return self._exit_code

    async def usage(self) -> Usage | None:
        """What the process tree uses; pages that it shares with the fork server are not its own."""
        return await asyncio.to_thread(self._tree.usage)

    def give_way(self, nice: int) -> None:
        """Have all processes give way."""
        self._tree.give_way(nice)

    def last_words(self) -> str:
        """The end of what was written to stdout and stderr outside of Jupyter's channels."""
        return self._words.text()

    def epitaph(self) -> None:
        """Its exit code tells all."""

    async def packages(self) -> None:
        """Its disk tells."""

    async def close(self, *, patience: float) -> None:
        """Ask the kernel to end, then have its keeper end all that is left of it."""
        if self._taken.leash.fileno() < 0:
            return
        try:
            if await self.alive() and patience > 0:
                await self._shut_down(patience=patience)
        finally:
            # The keeper sees that we let go, kills, and ends: then it lets go, too.
            with contextlib.suppress(OSError):
                self._taken.leash.shutdown(1)
            await self._wait(self._released, patience=_END_SECONDS)
            if not self._gone:  # the keeper was killed, or could not do it
                await asyncio.to_thread(self._tree.kill)
                await asyncio.to_thread(shutil.rmtree, self._taken.place, ignore_errors=True)
            self._loop.remove_reader(self._taken.leash)
            self._words.close()
            self._taken.close()

    async def _shut_down(self, *, patience: float) -> None:
        session, channel = self.client.session, self.client.control_channel
        # By the connection of its conversation, unless that is closed already.
        own = None if channel.is_alive() else self.client.connect_control()
        try:
            session.send(own or channel.socket, session.msg("shutdown_request", {"restart": False}))
            await self._wait(self._ended, patience=patience)
        finally:
            if own is not None:
                own.close(linger=0)

    def _hear(self) -> None:
        try:
            packet = self._taken.leash.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        told = json.loads(packet) if packet else {}
        if "ended" in told:
            self._exit_code = told["ended"]
        else:
            self._gone = bool(told.get("gone"))
            self._loop.remove_reader(self._taken.leash)
            self._released.set()
        self._ended.set()

    async def _wait(self, event: asyncio.Event, *, patience: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await event.wait()


def _python(choice: KernelChoice) -> str | None:
    """Return the Python whose kernel is asked for; None where a kernelspec asks for something else."""
    if choice.executable is not None:
        return choice.executable
    try:
        return python_of(kernel_spec(choice))
    except KernelNotFound:
        return None  # the plain driver says so


def _client(connection_file: Path) -> Any:
    from jupyter_client.asynchronous.client import AsyncKernelClient

    client = AsyncKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    return client
