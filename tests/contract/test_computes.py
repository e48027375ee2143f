"""The computes `local` and `jupyter` against their contract, in a real workspace without MLflow."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from compute import ComputeContract, text_of

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.kernels.remote.spares import notes, read
from jupyter_mlws.model.compute import ComputeCreate
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout
from tests.remotes.server import running


@pytest.fixture
async def open_services(place):
    opened = []

    async def open():
        workspace = await asyncio.to_thread(workspaces.open, Layout(place.workspace))
        opened.append(
            await Services.open(workspace, Settings(mlflow=False, fork=False), on_change=lambda changes: None)
        )
        return opened[-1]

    yield open
    await opened[-1].close()


@pytest.fixture
async def services(open_services):
    return await open_services()


@pytest.fixture
def ends(wait_until):
    async def ends(services, job):
        async def ended():
            now = await services.jobs.get(job.id)
            return now if now.status.is_terminal else None

        return await wait_until(ended, 120, what="the job's end")

    return ends


@pytest.fixture
def prints(wait_until):
    async def prints(services, job, text):
        async def printed():
            return text in await text_of(services, job)

        await wait_until(printed, 120, what=f"{text!r}")

    return prints


class TestLocal(ComputeContract):
    @pytest.fixture
    def compute(self):
        return "local"

    @pytest.fixture
    def nothing_left(self):
        async def nothing_left():
            pass  # tests/crash looks after processes of this machine

        return nothing_left


class TestJupyter(ComputeContract):
    @pytest.fixture
    async def compute(self, services, elsewhere):
        asked = ComputeCreate(type="jupyter", url=elsewhere.url, token=elsewhere.token, slots=2)
        await services.computes.create("lab2", asked, who="tester")
        return "lab2"

    @pytest.fixture
    def nothing_left(self, elsewhere, place):
        async def nothing_left():
            waiting = {found.kernel_id for found in map(read, notes(place.workspace / "spares")) if found}
            assert set(elsewhere.kernels()) <= waiting

        return nothing_left


@pytest.fixture(scope="module")
def elsewhere():
    with running("server") as server:
        yield server
