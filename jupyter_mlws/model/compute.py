"""The noun `compute`: where workers come from, what it holds, and what it guarantees."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.job import Name
from jupyter_mlws.model.record import Record


class Guarantees(Record):
    """What a compute promises; its contract suite holds it to that."""

    memory_limit: bool
    kill: bool
    survives_server: bool
    live_folder: bool
    """Whether a job can run in the notebook's own folder."""


class Capacity(Record):
    """What a compute holds, or what of it is in use."""

    cpus: Annotated[float, Field(ge=0)]
    memory: Annotated[int, Field(ge=0)]
    """Bytes."""
    gpus: Annotated[int, Field(ge=0)] = 0


class Compute(Record):
    """A compute as it stands."""

    name: Name
    type: str
    capacity: Capacity
    in_use: Capacity
    price_per_hour: float
    """US dollars for an hour of one job."""
    guarantees: Guarantees
    jobs_running: int = 0
    jobs_queued: int = 0
