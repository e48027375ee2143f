"""When a fork server makes another child ahead: out of the way of the job that has just taken one. Pure.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

# Seconds after a child was taken: the job that has begun needs the CPU more. It is given longer while another
# can be taken, unless jobs come in a row.
QUIET, _CALM = 0.03, 0.5
_ROW = 1.0  # seconds between two of them at most


class Pace:
    """Knows when children were taken. All times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._taken_at = float("-inf")
        self._in_a_row = False

    def taken(self, now: float) -> None:
        """A child was taken."""
        self._in_a_row = now - self._taken_at < _ROW
        self._taken_at = now

    def rest(self, now: float, *, left: int) -> float:
        """Return for how long no child is to be made, of which `left` can be taken; 0 or less: none."""
        return self._taken_at + (_CALM if left and not self._in_a_row else QUIET) - now
