"""How a compute is shown: what it is, what was last known of it, who uses it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.slots import asked, total
from jupyter_mlws.model.compute import Capacity, Compute
from jupyter_mlws.model.job import Resources
from jupyter_mlws.store import jobs
from jupyter_mlws.store.computes import ComputeRow
from jupyter_mlws.store.transaction import Transaction


class Use(NamedTuple):
    """Who uses the computes now."""

    running: Sequence[tuple[str, Resources]]
    """The compute and the resources of each job that runs."""
    waiting: Mapping[str, int]
    """How many jobs wait for each compute."""

    @classmethod
    def now(cls, tx: Transaction) -> Use:
        """Return who uses them in this transaction."""
        running = [(job.spec.compute, job.spec.resources) for job in jobs.active(tx)]
        return cls(running=running, waiting=jobs.waiting(tx))


def local_as_seen(backend: ComputeBackend, use: Use) -> Compute:
    """Return the compute that is always there."""
    running = [resources for compute, resources in use.running if compute == backend.name]
    whole = backend.capacity
    nothing = Capacity(cpus=0, memory=0, slots=None if whole.slots is None else 0)
    return Compute(
        name=backend.name,
        type=backend.type,
        capacity=whole,
        in_use=total([nothing, *(asked(resources, of=whole) for resources in running)]),
        price_per_hour=backend.price_per_hour,
        guarantees=backend.guarantees,
        jobs_running=len(running),
        jobs_queued=use.waiting.get(backend.name, 0),
    )


def row_as_seen(row: ComputeRow, backend: ComputeBackend, use: Use) -> Compute:
    """Return a compute that a user made; of its token, that there is one."""
    return local_as_seen(backend, use).model_copy(
        update={
            "state": row.state,
            "url": row.spec.url,
            "has_token": row.token is not None,
            "kernel": row.spec.kernel,
            "check": row.check,
            "checked_at": row.checked_at,
            "created_by": row.created_by,
            "created_at": row.created_at,
        }
    )
