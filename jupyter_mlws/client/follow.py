"""Follows a job to its end: its events in order, over retries, lost connections and server restarts.

The server holds its answers until there is something new, so that nothing is asked in a loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from jupyter_mlws.client.failures import TokenRefused
from jupyter_mlws.client.transport import Door, Query
from jupyter_mlws.model.errors import NotFound, NotReady
from jupyter_mlws.model.events import EventPage, LogEvent
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.pace import Pace

_HOLD_SECONDS = 25.0  # the server takes 30; proxies give up after 60
_PAGES_PER_SECOND, _AT_ONCE = 20, 10  # of a job that prints without end; more are of no use to any eye


class WaitTimeout(NotReady):
    """A job had not ended within the time that `wait` was given."""

    code = "wait_timeout"


async def until_ended(door: Door, id: str, *, timeout: float | None = None) -> Job:
    """Return the job once it has ended. `timeout` is in seconds; raises `WaitTimeout` when it is over."""
    job: Job | None = None
    until = None if timeout is None else time.monotonic() + timeout
    try:
        async with asyncio.timeout(timeout):
            while True:
                hold = _hold(until, seen=job is not None)
                try:
                    job = await door.get(f"/jobs/{id}", Job, query={"wait": hold}, again=False)
                except (NotReady, TokenRefused):
                    await door.wait_until_back()
                    continue
                if job.status.is_terminal:
                    return job
    except TimeoutError:
        raise WaitTimeout(
            f"The job {job.spec.name!r} ({id}) is still {job.status} after {timeout:g} s."
            if job
            else f"The job {id} could not be seen to end within {timeout:g} s.",
            hint="It goes on; wait() again, or stop it with cancel().",
        ) from None


def _hold(until: float | None, *, seen: bool) -> float:
    """Return for how many seconds to let the server hold its answer.

    An answer comes well before `until`, so that it can be told how the job stands; once it was `seen`, the
    last is held to the end.
    """
    if until is None:
        return _HOLD_SECONDS
    left = until - time.monotonic()
    share = 0.8 if left > 1 else 1.0 if seen else 0.0
    return round(max(0.0, min(_HOLD_SECONDS, share * left)), 3)


async def pages(
    door: Door, id: str, *, from_attempt: int | None = None
) -> AsyncGenerator[list[LogEvent], None]:
    """Yield the job's events, as many at a time as there are, from the first one on until the job has ended.

    It begins with `from_attempt`, by default the newest attempt, and goes on with every later one.
    """
    attempt, offset = from_attempt, 0
    pace = Pace(per_second=_PAGES_PER_SECOND, burst=_AT_ONCE)
    while True:
        try:
            page = await _page(door, id, attempt=attempt, offset=offset)
        except (NotReady, TokenRefused):
            await door.wait_until_back()
            continue
        if page is None:
            return
        if page.events:
            yield page.events
        if page.attempt:
            attempt, offset = page.attempt, page.next
        # An end is believed once all that was written before it is here; the rest of a line that its writer
        # did not live to end never comes.
        if page.done or not page.events:
            if page.newest > page.attempt > 0:
                attempt, offset = page.attempt + 1, 0
            elif page.status.is_terminal:
                return
        await asyncio.sleep(pace.turn(time.monotonic()))


async def _page(door: Door, id: str, *, attempt: int | None, offset: int) -> EventPage | None:
    """Return the events from `offset` on, once there are any; None when `attempt` will never be."""
    query: Query = {"attempt": attempt, "offset": offset, "wait": _HOLD_SECONDS}
    while True:
        try:
            return await door.get(f"/jobs/{id}/events", EventPage, query=query, again=False)
        except NotFound:
            job = await door.get(
                f"/jobs/{id}", Job, again=False
            )  # raises when it is the job that is not there
            if job.status.is_terminal and (attempt is None or attempt > job.attempt):
                return None
