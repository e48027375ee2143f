"""The statuses of a job and the one table of what may follow what."""

from __future__ import annotations

from enum import StrEnum

from jupyter_mlws.model.errors import Conflict


class JobStatus(StrEnum):
    """Where a job stands. The names are those of Azure Machine Learning."""

    QUEUED = "Queued"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_terminal(self) -> bool:
        """True when nothing can follow."""
        return not FOLLOWERS[self]

    @property
    def is_active(self) -> bool:
        """True while an attempt holds slots: preparing, running or finalizing."""
        return self in ACTIVE


class Wanted(StrEnum):
    """What the user wants of a job; kept beside the status, which says what is."""

    RUN = "run"
    CANCEL = "cancel"
    DELETE = "delete"


_ENDS = frozenset({JobStatus.FAILED, JobStatus.CANCELED})
ACTIVE = frozenset({JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.FINALIZING})

# Back to Queued leads a new attempt alone: a retry that was asked for, or an attempt that never began.
FOLLOWERS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.PREPARING}) | _ENDS,
    JobStatus.PREPARING: frozenset({JobStatus.RUNNING, JobStatus.QUEUED}) | _ENDS,
    JobStatus.RUNNING: frozenset({JobStatus.FINALIZING, JobStatus.QUEUED}) | _ENDS,
    JobStatus.FINALIZING: frozenset({JobStatus.COMPLETED, JobStatus.QUEUED}) | _ENDS,
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELED: frozenset(),
}


class TransitionRefused(Conflict):
    """A status may not follow another; a terminal status is never overwritten."""

    code = "transition_refused"


def move(current: JobStatus, following: JobStatus) -> JobStatus:
    """Return `following`, or raise `TransitionRefused` when it may not come after `current`."""
    if following not in FOLLOWERS[current]:
        raise TransitionRefused(
            f"A job that is {current} cannot become {following}.",
            hint="Submit it again with re-run." if current.is_terminal else None,
        )
    return following
