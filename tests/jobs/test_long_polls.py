"""Answers are held while there is nothing new, and come as soon as there is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from jupyter_mlws.app import Services
from jupyter_mlws.jobs.folder import NothingThere
from jupyter_mlws.jobs.long_polls import Hold
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.events import EventPage, Output
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.processes.runtime_folder import runtime_folder
from jupyter_mlws.reconcile.doorbell import Doorbell
from tests.jobs.conftest import Open, WaitUntil, cell, waiting_for

HOLD = Hold(600)


async def pages(services: Services, id: str, *, until: str = "\0", offset: int = 0) -> list[EventPage]:
    """Return what is answered, each time held, until `until` was printed or nothing will follow."""
    found: list[EventPage] = []
    attempt = None
    async with asyncio.timeout(120):
        while True:
            page = await services.jobs.events(id, attempt=attempt, offset=offset, hold=HOLD)
            found.append(page)
            attempt, offset = page.attempt or None, page.next
            printed = [str(e.output.get("text")) for e in page.events if isinstance(e, Output)]
            if page.done or any(until in text for text in printed):
                return found


async def test_the_end_is_waited_for(open_services: Open, place: Any) -> None:
    services = await open_services()
    go = place.root / "go"
    job = await services.jobs.submit(cell(waiting_for(go)), who="me")
    waits = asyncio.create_task(services.jobs.get(job.id, hold=HOLD))
    await pages(services, job.id, until="before")
    assert not waits.done()
    go.touch()
    async with asyncio.timeout(120):
        assert (await waits).status is JobStatus.COMPLETED
    began = time.monotonic()
    assert (await services.jobs.get(job.id, hold=HOLD)).status is JobStatus.COMPLETED
    assert time.monotonic() - began < 60
    assert services.waiting.held == 0


async def test_the_log_is_followed_by_few_answers(open_services: Open, place: Any) -> None:
    services = await open_services()
    go = place.root / "go"
    job = await services.jobs.submit(cell(waiting_for(go)), who="me")
    before = await pages(services, job.id, until="before")
    go.touch()
    after = await pages(services, job.id, offset=before[-1].next)
    every = [*before, *after]
    # Each answer but the last, which tells the end, holds something new; a step of the job is no answer each.
    assert all(page.events or page.done for page in every)
    assert len(every) < 10
    assert (after[-1].done, after[-1].status) == (True, JobStatus.COMPLETED)
    text = "".join(str(e.output.get("text")) for page in every for e in page.events if isinstance(e, Output))
    assert text.split() == ["before", "after"]


async def test_output_is_told_before_the_database_knows_of_it(open_services: Open, place: Any) -> None:
    services = await open_services()
    go, then = place.root / "go", place.root / "then"
    code = f"{waiting_for(go)}\nwhile not Path({str(then)!r}).exists(): time.sleep(0.02)"
    job = await services.jobs.submit(cell(code), who="me")
    (*_, page) = await pages(services, job.id, until="before")
    # From now on nobody leads and nothing of the log reaches the database; the worker rings all the same.
    await services.loop.close()
    bell = Doorbell(runtime_folder(services.workspace.id) / "doorbell.sock", heard=services.waiting.log_grew)
    bell.listen()
    held = asyncio.create_task(services.jobs.events(job.id, offset=page.next, hold=HOLD))
    go.touch()
    async with asyncio.timeout(60):
        told = await held
    assert any(isinstance(event, Output) for event in told.events)
    assert (await services.jobs.get(job.id)).offset < told.next
    bell.close()
    then.touch()


async def test_a_job_in_the_queue_holds_too_and_a_cancelled_one_answers(open_services: Open) -> None:
    services = await open_services(cpus=1)
    first = await services.jobs.submit(cell("import time; time.sleep(600)"), who="me")
    second = await services.jobs.submit(cell("1"), who="me")
    held = asyncio.create_task(services.jobs.events(second.id, hold=HOLD))
    ended = asyncio.create_task(services.jobs.get(second.id, hold=HOLD))
    await services.jobs.cancel(second.id, who="me")
    async with asyncio.timeout(60):
        page = await held
        assert (page.attempt, page.done, page.status) == (0, True, JobStatus.CANCELED)
        assert (await ended).status is JobStatus.CANCELED
    await services.jobs.cancel(first.id, who="me")
    async with asyncio.timeout(60):
        assert (await services.jobs.get(first.id, hold=HOLD)).status is JobStatus.CANCELED


async def test_a_deleted_job_is_not_waited_for(open_services: Open, wait_until: WaitUntil) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell("import time; time.sleep(600)"), who="me")
    held = [
        asyncio.create_task(services.jobs.get(job.id, hold=HOLD)),
        asyncio.create_task(services.jobs.events(job.id, offset=0, attempt=7, hold=HOLD)),
    ]
    await wait_until(lambda: services.waiting.held == 2)
    await services.jobs.delete(job.id, who="me")
    async with asyncio.timeout(60):
        for each in held:
            with pytest.raises(NotFound):
                await each


async def test_another_attempt_ends_the_wait_for_the_one_before(open_services: Open, place: Any) -> None:
    services = await open_services()
    tried = place.root / "tried"
    code = f"from pathlib import Path\nassert Path({str(tried)!r}).exists() or Path({str(tried)!r}).touch()"
    job = await services.jobs.submit(cell(code, retries=1), who="me")
    found = await pages(services, job.id)
    assert (found[-1].attempt, found[-1].newest, found[-1].done) == (1, 2, True)
    async with asyncio.timeout(60):
        later = await services.jobs.events(job.id, attempt=2, hold=HOLD)
    assert later.attempt == 2
    async with asyncio.timeout(60):
        assert (await services.jobs.get(job.id, hold=HOLD)).status is JobStatus.COMPLETED
    with pytest.raises(NothingThere):
        await services.jobs.events(job.id, attempt=3, hold=HOLD)


async def test_output_of_this_attempt_is_no_news_of_the_next(open_services: Open, place: Any) -> None:
    services = await open_services()
    go = place.root / "go"
    job = await services.jobs.submit(cell(waiting_for(go)), who="me")
    await pages(services, job.id, until="before")
    held = asyncio.create_task(services.jobs.events(job.id, attempt=2, hold=HOLD))
    go.touch()
    async with asyncio.timeout(60):
        # Held until it is sure that there will be none.
        with pytest.raises(NothingThere):
            await held


async def test_the_time_is_over(open_services: Open) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell("import time; time.sleep(600)"), who="me")
    assert not (await services.jobs.get(job.id, hold=Hold(0.1))).status.is_terminal
    with pytest.raises(NothingThere):
        await services.jobs.events(job.id, attempt=2, hold=Hold(0.1))
    await services.jobs.delete(job.id, who="me")


async def test_who_has_gone_is_held_no_more(open_services: Open, wait_until: WaitUntil) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell("import time; time.sleep(600)"), who="me")
    gone: list[Any] = []
    held = asyncio.create_task(services.jobs.get(job.id, hold=Hold(600, gone.append)))
    await wait_until(lambda: gone)
    gone[0]()
    async with asyncio.timeout(60):
        await held
    assert services.waiting.held == 0
    await services.jobs.delete(job.id, who="me")


async def test_another_server_than_the_leader_answers_too(open_services: Open, place: Any) -> None:
    leader, other = await open_services(), await open_services()
    go = place.root / "go"
    job = await leader.jobs.submit(cell(waiting_for(go)), who="me")
    await pages(other, job.id, until="before")
    waits = asyncio.create_task(other.jobs.get(job.id, hold=HOLD))
    go.touch()
    async with asyncio.timeout(120):
        assert (await waits).status is JobStatus.COMPLETED
