"""What a job has cost. Pure."""

from __future__ import annotations


def cost(seconds: float, *, price_per_hour: float) -> float:
    """Return US dollars for `seconds` at `price_per_hour` US dollars, to a millionth."""
    return round(seconds / 3600 * price_per_hour, 6)
