"""States, times, sizes and money in the words and shapes that every view shares."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from jupyter_mlws.model.sizes import size as size
from jupyter_mlws.model.status import JobStatus

SHAPES: dict[JobStatus, str] = {
    JobStatus.QUEUED: "○",
    JobStatus.PREPARING: "◔",
    JobStatus.RUNNING: "●",
    JobStatus.FINALIZING: "●",
    JobStatus.COMPLETED: "✓",
    JobStatus.FAILED: "✕",
    JobStatus.CANCELED: "⊘",
}
"""A shape for each status, so that no status is told by its colour alone."""


def state(status: JobStatus) -> str:
    """Return shape and word, such as `✓ Completed`."""
    return f"{SHAPES[status]} {status.value}"


def duration(seconds: float) -> str:
    """Return a length of time, such as `0.4 s`, `42 s`, `1 m 12 s`, `3 h 5 m` or `2 d 4 h`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _pair(whole, 60, "m", 1, "s")
    return _pair(whole, 3600, "h", 60, "m") if whole < 86400 else _pair(whole, 86400, "d", 3600, "h")


def _pair(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = whole % large // small
    return f"{whole // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")


def money(dollars: float) -> str:
    """Return US dollars, with as many digits as tell something: `$0`, `$0.012`, `$3.40`, `$1,204`."""
    if dollars == 0:
        return "$0"
    if dollars < 0.001:
        return "<$0.001"
    if dollars < 0.9995:
        return f"${dollars:.3f}"
    return f"${dollars:.2f}" if dollars < 999.995 else f"${dollars:,.0f}"


def cost(seconds: float, *, price_per_hour: float) -> str:
    """Return what `seconds` cost at `price_per_hour` US dollars; nothing where no price is set."""
    return money(seconds / 3600 * price_per_hour) if price_per_hour else ""


def ago(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago `moment` was, such as `just now`, `3 min ago`, `yesterday` or `12 Mar`."""
    today = now or datetime.now(UTC)
    seconds = (today - moment).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 59.5 * 60:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 23.5 * 3600:
        return f"{round(seconds / 3600)} h ago"
    days = round(seconds / 86400)
    if days < 7:
        return "yesterday" if days < 2 else f"{days} days ago"
    local = moment.astimezone()
    year = "" if local.year == today.astimezone().year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


def value(number: float | None) -> str:
    """Return a measured value with four significant digits: `0.8432`, `12.5`; None is NaN."""
    if number is None or math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if float(number).is_integer() and abs(number) < 1e9:
        return f"{int(number):,}"
    return f"{number:.4g}"


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` characters, with … in place of what is left out."""
    return text if len(text) <= width else text[: width - 1] + "…"
