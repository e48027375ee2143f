"""Answers that are held until there is something to tell: a job's end, or more of its event log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from jupyter_mlws.jobs.folder import NothingThere
from jupyter_mlws.jobs.log import read_page, size_of
from jupyter_mlws.jobs.records import JobRecords
from jupyter_mlws.jobs.waiting import Waiter, Waiting
from jupyter_mlws.model.events import Change, EventPage, Output
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.transaction import Transaction

_GATHER_SECONDS = 0.1

WhenGone = Callable[[Callable[[], None]], None]
"""Takes what is to be called when whoever asked has gone."""


@dataclass(frozen=True)
class Hold:
    """How long an answer may be held."""

    seconds: float = 0.0
    """At most; 0: not at all."""
    when_gone: WhenGone | None = None


@dataclass
class _Look:
    """What is asked of a log, and what was seen when it was looked at last."""

    id: str
    attempt: int | None
    """None: the newest."""
    offset: int
    tail: int | None
    limit: int
    job: Job | None = None
    number: int = 0
    """The attempt that is looked at, and stays so; 0 while there is none."""

    @property
    def is_over(self) -> bool:
        """Whether the attempt had ended, or another had begun."""
        return self.job is not None and (self.job.status.is_terminal or self.number < self.job.attempt)

    def wants(self, change: Change) -> bool:
        """Return whether `change` says anything that is not known: a step of the job, or more of its log."""
        job = self.job
        return job is None or change.status != job.status or change.offset not in (job.offset, self.offset)


class LongPolls:
    """Looks at jobs and their logs for those who want to know at once what is new in them."""

    def __init__(self, records: JobRecords, *, layout: Layout, waiting: Waiting) -> None:
        self._records = records
        self._layout = layout
        self._waiting = waiting

    async def job(self, id: str, hold: Hold) -> Job:
        """Return the job, once it has ended or the time is over. Raises `JobNotFound`."""

        def look(tx: Transaction) -> Job:
            return rows.get(tx, id)

        if hold.seconds <= 0:
            return await self._records.read(look)
        with self._waiting.register(id, _is_end, seconds=hold.seconds) as waiter:
            _heed(hold, waiter)
            job = await self._records.read(look)
            while not job.status.is_terminal and not waiter.is_over:
                # When the time is over, too: it may have gone on without ending.
                await waiter.wait()
                job = await self._records.read(look)
            return job

    async def events(
        self, id: str, *, attempt: int | None, offset: int, tail: int | None, limit: int, hold: Hold
    ) -> EventPage:
        """Return a page of an attempt's log, once there is more than `offset` of it, or nothing to come.

        An attempt that is not there yet is waited for. Raises `JobNotFound`, `NothingThere` and
        `OffsetInvalid`.
        """
        look = _Look(id, attempt, offset, tail, limit)
        if hold.seconds <= 0:
            return _there(await self._look(look), look)
        with self._waiting.register(id, look.wants, seconds=hold.seconds, hears_log=True) as waiter:
            _heed(hold, waiter)
            return await self._held(look, waiter)

    async def _held(self, look: _Look, waiter: Waiter) -> EventPage:
        page = await self._look(look)
        while not (look.is_over or waiter.is_over or (page and page.events)):
            page = await self._after(await waiter.wait(), look, page)
        # Steps of the job come in quick succession; they may wait a moment for one another, output may not.
        until = asyncio.get_running_loop().time() + _GATHER_SECONDS
        while not (look.is_over or waiter.is_over or _is_urgent(page)):
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                break
            page = await self._after(await waiter.wait(at_most=left), look, page)
        return _there(page, look)

    async def _after(self, news: str | None, look: _Look, page: EventPage | None) -> EventPage | None:
        """Return the page after a wait that ended with `news`."""
        if news is None:
            return page
        if news == "log" and page is not None and look.job is not None:
            # The row says nothing new about it; where there is no more to read, neither does the log.
            return await asyncio.to_thread(self._read_more, look, look.job, page)
        return await self._look(look)

    async def _look(self, look: _Look) -> EventPage | None:
        """Read the row, then the log: what belongs to a status that was seen is in it. None: no attempt."""

        def run(tx: Transaction) -> EventPage | None:
            look.job = job = rows.get(tx, look.id)
            look.number = look.attempt or look.number or job.attempt
            if not 1 <= look.number <= job.attempt:
                return None
            return self._read(look, job)

        return await self._records.read(run)

    def _read_more(self, look: _Look, job: Job, page: EventPage) -> EventPage:
        if size_of(self._layout.attempt(look.id, look.number).events) <= page.size:
            return page
        return self._read(look, job)

    def _read(self, look: _Look, job: Job) -> EventPage:
        return read_page(
            self._layout.attempt(look.id, look.number).events,
            job,
            attempt=look.number,
            offset=look.offset,
            tail=look.tail,
            limit=look.limit,
        )


def _is_end(change: Change) -> bool:
    """Whether a job has ended with `change`, or is gone."""
    return change.status is None or JobStatus(change.status).is_terminal


def _is_urgent(page: EventPage | None) -> bool:
    """Whether somebody looks at a screen for it."""
    return page is None or any(isinstance(event, Output) for event in page.events)


def _heed(hold: Hold, waiter: Waiter) -> None:
    if hold.when_gone is not None:
        hold.when_gone(waiter.release)


def _there(page: EventPage | None, look: _Look) -> EventPage:
    """Return the page; an empty one while there was no attempt. Raises `NothingThere` for one asked for."""
    if page is not None:
        return page
    job = look.job
    assert job is not None
    if look.attempt is not None:
        raise NothingThere(
            f"The job {job.spec.name!r} has no attempt {look.attempt}.", hint=f"It has {job.attempt}."
        )
    return EventPage(
        attempt=0,
        newest=0,
        status=job.status,
        offset=0,
        next=0,
        size=0,
        done=job.status.is_terminal,
        events=[],
    )
