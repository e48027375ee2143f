"""How often something may happen: at once while that is seldom, at a steady rate once it is often. Pure."""

from __future__ import annotations


class Pace:
    """A token bucket. Whoever asks for a turn gets one, now or later."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        """`burst` turns are given at once; then `per_second`."""
        self._rate, self._burst = per_second, float(burst)
        self._left = self._burst
        self._at: float | None = None

    def turn(self, now: float) -> float:
        """Take a turn at `now` (seconds, of a clock that only goes on); return in how many seconds it is."""
        if self._at is not None:
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        self._left -= 1
        return max(0.0, -self._left / self._rate)
