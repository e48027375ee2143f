"""Whether a kernel should wait on another server for the next job. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_BEHIND_SECONDS = 1.0  # after a job was launched: its own start comes first
_TAKEN_SECONDS = 10.0  # after that a worker has taken the spare, or never will


class Verdict(Enum):
    """What to do about the spare of a compute."""

    START = "start"
    LEAVE = "leave"
    END = "end"


@dataclass(frozen=True)
class Use:
    """How a compute is used; times in seconds."""

    slots: int
    running: int
    """Jobs that have a slot."""
    waiting: int
    """Jobs that want one."""
    since_launch: float
    """Since a job was launched there."""
    since_active: float
    """Since a job was launched or ran there."""


def verdict(use: Use, *, spares: int, idle: float) -> Verdict:
    """Return what to do where `spares` kernels wait, and may wait `idle` seconds for a job.

    A spare takes a slot that no job has or wants. One that waits is left to a job that was launched just now
    and will take it; where jobs have all slots and none took it, it gives way.
    """
    if use.since_active > idle:
        return Verdict.END if spares else Verdict.LEAVE
    if spares == 0:
        room = use.running + use.waiting < use.slots
        return Verdict.START if room and use.since_launch >= _BEHIND_SECONDS else Verdict.LEAVE
    full = use.running + spares > use.slots
    return Verdict.END if full and use.since_launch > _TAKEN_SECONDS else Verdict.LEAVE
