"""What a compute must be able to do. A new compute is one file that does this, and the contract suite."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from jupyter_mlws.model.compute import Capacity, ComputeCheck, Guarantees
from jupyter_mlws.processes.identity import ProcessRef


class ComputeBackend(Protocol):
    """A place where workers run."""

    @property
    def name(self) -> str:
        """The name users give it."""

    @property
    def type(self) -> str:
        """What kind of place it is."""

    @property
    def capacity(self) -> Capacity:
        """What it holds in all."""

    @property
    def price_per_hour(self) -> float:
        """US dollars for an hour of one job."""

    @property
    def guarantees(self) -> Guarantees:
        """What it promises."""

    async def check(self) -> ComputeCheck:
        """Look whether a job could run there now; what is wrong is in the answer."""

    async def launch(self, folder: Path) -> ProcessRef:
        """Start a worker on the attempt in `folder`, which lies ready. Raises `LaunchFailed`."""

    def environment(self, *, gpus: int, taken: set[int]) -> tuple[dict[str, str], list[int]]:
        """Return the variables that give a kernel its GPUs, and their numbers; `taken` are in use."""
