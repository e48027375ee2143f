"""What every kernel driver offers, whatever it starts kernels with and wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jupyter_mlws.model.errors import ErrorInfo, Invalid, NotFound
from jupyter_mlws.model.job import KernelChoice


class KernelNotFound(NotFound):
    """There is no such kernelspec, or no Python at the path that was given."""

    code = "kernel_not_found"


class KernelStartFailed(Invalid):
    """The kernel's process could not be started, or ended before it answered."""

    code = "kernel_start_failed"


@dataclass(frozen=True)
class Usage:
    """What a kernel's whole process tree uses now."""

    memory: int
    """Bytes of memory, pages shared between its processes counted once where the system can tell."""
    cpu_seconds: float
    """CPU seconds since the start, user and system, ended children included."""


@dataclass(frozen=True)
class Promises:
    """What the kernels of a driver can tell and do beyond running code; its contract holds it to that."""

    own_machine: bool = True
    """Whether they run on this machine: with a process, on our disk, in the folder that they are given."""
    exit_code: bool = True
    """Whether it is known how a process ended."""
    last_words: bool = True
    """Whether what they write past Jupyter's channels is heard."""


class Files(Protocol):
    """Brings files of ours to a kernel that does not share our disk, and what it wrote back."""

    @property
    def where(self) -> str:
        """What users call the machine."""

    @property
    def sink(self) -> str:
        """A Python expression of what takes the kernel's records for MLflow there; see tracking/spool.py."""

    async def bring(self, path: Path) -> str:
        """Copy a file there; return its path there."""

    async def bring_folder(self, folder: Path) -> None:
        """Copy what is in a folder into the one that the kernel runs in."""

    async def place(self, folder: Path) -> str:
        """Return the path there of a new folder, for what is to be collected into our `folder`."""

    async def collect(self, folder: Path) -> None:
        """Copy what the kernel left in the place of `folder` into it."""


class Kernel(Protocol):
    """One running kernel, with all processes that it started."""

    @property
    def folder(self) -> str:
        """The folder that it runs in, on its own machine."""

    @property
    def files(self) -> Files | None:
        """Brings files there and back; None where it shares our disk."""

    @property
    def pid(self) -> int | None:
        """Process id of the kernel; None where it has none on this machine."""

    @property
    def process_started(self) -> float | None:
        """Start time of that process; see `processes.identity`."""

    @property
    def language(self) -> str:
        """The kernel's language as its kernelspec gives it, in lower case; '' when it is not known."""

    @property
    def client(self) -> Any:
        """A `jupyter_client.asynchronous.AsyncKernelClient` whose channels are not started."""

    async def interrupt(self) -> None:
        """Interrupt the code that runs, by a signal or a message as the kernelspec says."""

    async def terminate(self) -> None:
        """Ask all processes of the kernel to end (SIGTERM)."""

    async def kill(self) -> None:
        """End all processes of the kernel at once (SIGKILL), those that left its process group too."""

    async def alive(self) -> bool:
        """Whether the kernel's process runs."""

    def exit_code(self) -> int | None:
        """The exit code, negative for the signal that ended it; None while it runs or when not known."""

    async def usage(self) -> Usage | None:
        """What the process tree uses; None when it cannot be told."""

    def give_way(self, nice: int) -> None:
        """Have its processes on this machine give way to others, with a niceness of 0 to 19."""

    def last_words(self) -> str:
        """The end of what the processes wrote to their own stdout and stderr, past Jupyter's channels."""

    def epitaph(self) -> ErrorInfo | None:
        """Why it is gone, where more is known than its exit code tells."""

    async def packages(self) -> str | None:
        """The distributions that it has, as JSON; None where the disk tells."""

    async def close(self, *, patience: float) -> None:
        """Ask the kernel to end, kill what is left after `patience` seconds, and clean up."""


class Driver(Protocol):
    """Starts kernels."""

    @property
    def promises(self) -> Promises:
        """What its kernels can tell and do."""

    async def start(self, choice: KernelChoice, *, cwd: Path, env: Mapping[str, str]) -> Kernel:
        """Start a kernel in the folder `cwd` with the environment `env`; return as soon as its process runs.

        Raises:
            KernelNotFound: there is nothing such as `choice` names.
            KernelStartFailed: its process could not be started.
        """
