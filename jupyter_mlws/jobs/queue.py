"""Which of the waiting jobs start now. Pure.

Order is priority, then time of submission. A job that does not fit yet reserves what it asks for: those
behind it start only in what is left beside the reservation, so that a large job is never overtaken for
ever, and a job that waits for a GPU does not hold up those that need a CPU alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jupyter_mlws.compute.slots import asked, lacking, less
from jupyter_mlws.model.compute import Capacity
from jupyter_mlws.model.job import Job, Priority

_RANK = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


@dataclass(frozen=True)
class Choice:
    """Jobs to start now, in order, and for each that waits the reason in words."""

    start: list[Job] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    left: dict[str, Capacity] = field(default_factory=dict)
    """What is left of each compute by its name, without what waiting jobs have reserved."""


def choose(queued: Iterable[Job], free: Mapping[str, Capacity]) -> Choice:
    """Return what to start of `queued`, given what is `free` on each compute by its name."""
    choice = Choice(left=dict(free))
    left = choice.left
    for job in sorted(queued, key=lambda job: (_RANK[job.spec.priority], job.created_at, job.id)):
        compute = job.spec.compute
        if compute not in left:
            choice.waiting[job.id] = f"Waits for the compute {compute}, which is not there"
            continue
        ask = asked(job.spec.resources, of=left[compute])
        short = lacking(ask, left[compute])
        left[compute] = less(left[compute], ask)
        if short:
            choice.waiting[job.id] = f"Waits for {' and '.join(short)}"
        else:
            choice.start.append(job)
    return choice
