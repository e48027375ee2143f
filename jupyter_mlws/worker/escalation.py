"""How a job is brought to its end: interrupt, then terminate, then kill. Pure: the clock is handed in."""

from __future__ import annotations

from enum import Enum


class Step(Enum):
    """What is done to the kernel, from gentle to final."""

    INTERRUPT = 0
    TERMINATE = 1
    KILL = 2


class Escalation:
    """Says when the next step is due. Times are seconds of any one steady clock."""

    def __init__(self, *, now: float, grace: float, first: Step = Step.INTERRUPT) -> None:
        """Begin with `first` at once; `grace` seconds lie between the steps."""
        self._grace = grace
        self._next: Step | None = first
        self._at = now

    def due(self, now: float) -> Step | None:
        """Return the step that is due, each once, and None otherwise."""
        if self._next is None or now < self._at:
            return None
        step = self._next
        self._next = None if step is Step.KILL else Step(step.value + 1)
        self._at = now + self._grace
        return step

    def hasten(self, step: Step, *, now: float) -> None:
        """Go to `step` at once if it has not been reached."""
        if self._next is not None and self._next.value < step.value:
            self._next, self._at = step, now
