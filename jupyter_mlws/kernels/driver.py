"""What every kernel driver offers, whatever it starts kernels with and wherever they run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jupyter_mlws.model.errors import Invalid, NotFound
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


class Kernel(Protocol):
    """One running kernel, with all processes that it started."""

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

    def last_words(self) -> str:
        """The end of what the processes wrote to their own stdout and stderr, past Jupyter's channels."""

    async def close(self, *, patience: float) -> None:
        """Ask the kernel to end, kill what is left after `patience` seconds, and clean up."""


class Driver(Protocol):
    """Starts kernels."""

    async def start(self, choice: KernelChoice, *, cwd: Path, env: Mapping[str, str]) -> Kernel:
        """Start a kernel in the folder `cwd` with the environment `env`; return as soon as its process runs.

        Raises:
            KernelNotFound: there is nothing such as `choice` names.
            KernelStartFailed: its process could not be started.
        """
