"""Services of a real workspace in this process: real database, workers and kernels; MLflow is left out."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.model.events import Change, Output
from jupyter_mlws.model.job import Job, JobKind, JobSpec, KernelChoice
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout

Open = Callable[..., Awaitable[Services]]
WaitUntil = Callable[..., Awaitable[Any]]


@pytest.fixture
async def open_services(place: Any) -> AsyncIterator[Open]:
    """`await open_services(cpus=1)`: another server's services on the test's workspace."""
    opened: list[Services] = []

    async def open(**settings: Any) -> Services:
        workspace = workspaces.open(Layout(place.workspace))
        seen: list[Change] = []
        services = await Services.open(
            workspace, Settings(mlflow=False, preload=(), spares=1, **settings), on_change=seen.extend
        )
        opened.append(services)
        return services

    yield open
    for services in opened:
        await services.close()


@pytest.fixture
def ends(wait_until: WaitUntil) -> Callable[[Services, Job], Awaitable[Job]]:
    async def ends(services: Services, job: Job) -> Job:
        async def ended() -> Job | None:
            now = await services.jobs.get(job.id)
            return now if now.status.is_terminal else None

        return await wait_until(ended, 120, what=f"the end of {job.id}")

    return ends


@pytest.fixture
def prints(wait_until: WaitUntil) -> Callable[[Services, Job, str], Awaitable[None]]:
    async def prints(services: Services, job: Job, text: str) -> None:
        async def printed() -> bool:
            return text in await text_of(services, job)

        await wait_until(printed, 120, what=f"{text!r} from {job.id}")

    return prints


def cell(code: str, **fields: Any) -> JobSpec:
    """Return the specification of a cell that runs in this interpreter."""
    kernel = KernelChoice(executable=sys.executable)
    return JobSpec(**{"kind": JobKind.CELL, "name": "cell", "kernel": kernel, "code": code, **fields})


def waiting_for(go: Path) -> str:
    """Return the code of a cell that prints "before", waits for the file `go`, and prints "after"."""
    return f"""
import time
from pathlib import Path
print("before")
while not Path({str(go)!r}).exists(): time.sleep(0.02)
print("after")
"""


def script(folder: Path, name: str, **fields: Any) -> JobSpec:
    """Return the specification of a script in `folder`."""
    kernel = KernelChoice(executable=sys.executable)
    fields = {"folder": str(folder), "path": name, "kernel": kernel, **fields}
    return JobSpec(kind=JobKind.SCRIPT, name=name, **fields)


async def text_of(services: Services, job: Job, *, attempt: int | None = None) -> str:
    """Return all that a job printed."""
    offset, text = 0, ""
    while True:
        page = await services.jobs.events(job.id, offset=offset, attempt=attempt)
        for event in page.events:
            if isinstance(event, Output) and event.output.get("output_type") == "stream":
                text += str(event.output["text"])
        if page.next == offset:
            return text
        offset = page.next
