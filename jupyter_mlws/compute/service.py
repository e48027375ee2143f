"""What users see of the computes: what each holds, what of it is in use, what it promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.slots import asked, total
from jupyter_mlws.model.compute import Compute
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.job import Resources


class Use(NamedTuple):
    """Who uses the computes now."""

    running: Sequence[tuple[str, Resources]]
    """The compute and the resources of each job that runs."""
    waiting: Mapping[str, int]
    """How many jobs wait for each compute."""


class ComputeService:
    """The computes of a workspace."""

    def __init__(
        self,
        computes: Mapping[str, ComputeBackend],
        *,
        use: Callable[[], Awaitable[Use]],
    ) -> None:
        """`use` tells which jobs run and wait now."""
        self._computes = computes
        self._use = use

    async def list(self) -> Sequence[Compute]:
        """Return all computes by name."""
        use = await self._use()
        return [self._seen(self._computes[name], use) for name in sorted(self._computes)]

    async def get(self, name: str) -> Compute:
        """Return a compute. Raises `NotFound`."""
        if name not in self._computes:
            raise NotFound(
                f"There is no compute {name[:100]!r}.", hint=f"There is: {', '.join(sorted(self._computes))}."
            )
        return self._seen(self._computes[name], await self._use())

    def _seen(self, backend: ComputeBackend, use: Use) -> Compute:
        running = [resources for compute, resources in use.running if compute == backend.name]
        return Compute(
            name=backend.name,
            type=backend.type,
            capacity=backend.capacity,
            in_use=total(asked(resources) for resources in running),
            price_per_hour=backend.price_per_hour,
            guarantees=backend.guarantees,
            jobs_running=len(running),
            jobs_queued=use.waiting.get(backend.name, 0),
        )
