"""Ends a server that was started without a browser when nobody needs it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from jupyter_mlws.model.status import JobStatus

_LONGEST_PAUSE = 30.0
_OPEN = frozenset(status for status in JobStatus if not status.is_terminal)


async def until_idle(
    *,
    after: timedelta,
    last_activity: Callable[[], datetime],
    counts: Callable[[], Awaitable[dict[str, int]]],
    busy: Callable[[], bool],
) -> None:
    """Return when for the time `after` there was no request, and no job waits or runs.

    `last_activity` is the time of the last request, `counts` the number of jobs by status, and `busy` says
    whether the server has kernels of its own.
    """
    # While a job runs nobody need ask for it: the time counts from its end.
    quiet_since = datetime.now(UTC)
    while True:
        left = after - (datetime.now(UTC) - max(quiet_since, last_activity()))
        if left > timedelta(0):
            await asyncio.sleep(min(_LONGEST_PAUSE, max(0.05, left.total_seconds())))
        if busy() or has_open_jobs(await counts()):
            quiet_since = datetime.now(UTC)
        elif datetime.now(UTC) - max(quiet_since, last_activity()) >= after:
            return


def has_open_jobs(counts: dict[str, int]) -> bool:
    """Whether any job waits or runs, given the number of jobs by status."""
    return any(counts.get(status, 0) for status in _OPEN)
