"""Why a job is ended before its code is through, and how far that has gone."""

from __future__ import annotations

import time
from dataclasses import dataclass

from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.worker.escalation import Escalation, Step


@dataclass(frozen=True)
class Ending:
    """How the attempt ends."""

    status: JobStatus
    error: ErrorInfo | None = None


COMPLETED = Ending(JobStatus.COMPLETED)
CANCELED = Ending(JobStatus.CANCELED)


class Stopped(Exception):
    """Somebody or some limit wants the job to end, and no code of the user's has to be stopped gently."""


class Stopper:
    """Holds the first reason to stop, and the steps that follow from it."""

    def __init__(self, *, grace: float) -> None:
        """`grace` is the time in seconds between interrupt, terminate and kill."""
        self._grace = grace
        self._escalation: Escalation | None = None
        self.ending: Ending | None = None
        """What the attempt ends with; None while nobody wants it to end."""

    def ask(self, ending: Ending, *, first: Step = Step.INTERRUPT) -> None:
        """Stop with `ending`, beginning with the step `first`. A later reason only makes it quicker."""
        now = time.monotonic()
        if self._escalation is None:
            self._escalation = Escalation(now=now, grace=self._grace, first=first)
            self.ending = ending
        else:
            self._escalation.hasten(first, now=now)

    def due(self) -> Step | None:
        """Return the step that is to be done now."""
        return None if self._escalation is None else self._escalation.due(time.monotonic())
