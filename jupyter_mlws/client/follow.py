"""Follows a job to its end: its events in order, over retries, lost connections and server restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from jupyter_mlws.client.doorbell import Doorbell
from jupyter_mlws.client.failures import TokenRefused
from jupyter_mlws.client.transport import Door, Query
from jupyter_mlws.model.errors import NotFound, NotReady
from jupyter_mlws.model.events import EventPage, LogEvent
from jupyter_mlws.model.job import Job


class WaitTimeout(NotReady):
    """A job had not ended within the time that `wait` was given."""

    code = "wait_timeout"


async def until_ended(door: Door, id: str, *, timeout: float | None = None) -> Job:
    """Return the job once it has ended. `timeout` is in seconds; raises `WaitTimeout` when it is over."""
    job: Job | None = None
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    async with Doorbell(door.address, id=id) as bell:
                        while True:
                            job = await door.get(f"/jobs/{id}", Job, again=False)
                            if job.status.is_terminal:
                                return job
                            await bell.wait()
                except (NotReady, TokenRefused):
                    await door.wait_until_back()
    except TimeoutError:
        raise WaitTimeout(
            f"The job {job.spec.name!r} ({id}) is still {job.status} after {timeout:g} s."
            if job
            else f"The job {id} could not be seen to end within {timeout:g} s.",
            hint="It goes on; wait() again, or stop it with cancel().",
        ) from None


async def pages(
    door: Door, id: str, *, from_attempt: int | None = None
) -> AsyncGenerator[list[LogEvent], None]:
    """Yield the job's events, as many at a time as there are, from the first one on until the job has ended.

    It begins with `from_attempt`, by default the newest attempt, and goes on with every later one.
    """
    place = _Place(attempt=from_attempt)
    while True:
        try:
            async with Doorbell(door.address, id=id) as bell:
                while not place.ended:
                    if events := await _next(door, id, place):
                        yield events
                    if place.waits:
                        rang = await bell.wait()
                        place.look_at_job = not rang or bell.status not in (None, "Preparing", "Running")
                return
        except (NotReady, TokenRefused):
            await door.wait_until_back()


@dataclass
class _Place:
    """How far a follower has read."""

    attempt: int | None = None
    offset: int = 0
    look_at_job: bool = True
    """Whether the job itself is to be looked at, not its log alone: it may have ended or begun anew."""
    waits: bool = False
    ended: bool = False


async def _next(door: Door, id: str, place: _Place) -> list[LogEvent]:
    """Return the events that are there now, and move `place` behind them."""
    page = await _page(door, id, place)
    if page is not None:
        place.attempt, place.offset = page.attempt, page.next
        if page.events and not page.done:
            place.waits = page.next >= page.size
            return page.events
    if page is None or page.done or place.look_at_job:
        job = await door.get(f"/jobs/{id}", Job, again=False)
        place.look_at_job = False
        if page is not None and job.attempt > page.attempt:
            place.attempt, place.offset, place.waits = page.attempt + 1, 0, False
            return page.events
        if job.status.is_terminal:
            # What came between the page and this look is fetched before the end is believed.
            place.ended = page is None or not page.events
            place.waits, place.look_at_job = False, True
            return page.events if page else []
    place.waits = True
    return page.events if page else []


async def _page(door: Door, id: str, place: _Place) -> EventPage | None:
    """Return the events from `place`; None when the job has no attempt yet."""
    query: Query = {"attempt": place.attempt, "offset": place.offset}
    try:
        page = await door.get(f"/jobs/{id}/events", EventPage, query=query, again=False)
    except NotFound:
        await door.get(f"/jobs/{id}", Job, again=False)  # raises when it is the job that is not there
        return None
    return page if page.attempt else None
