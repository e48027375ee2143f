"""Kernels that wait on another Jupyter server for the next job, in a real workspace without MLflow."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from dataclasses import replace

import httpx
import pytest

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.compute.spare_notes import SpareNotes
from jupyter_mlws.kernels.remote.server import RemoteServer
from jupyter_mlws.kernels.remote.spares import READY, STARTING, notes, read
from jupyter_mlws.model.compute import ComputeCreate
from jupyter_mlws.model.events import Message
from jupyter_mlws.model.job import JobKind, JobSpec, KernelChoice
from jupyter_mlws.model.remote import Whereabouts
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout
from tests.contract.compute import text_of
from tests.remotes.proxy import Proxy
from tests.remotes.server import running

FEW = Settings(mlflow=False, fork=False)


@pytest.fixture(scope="module")
def elsewhere():
    with running("server") as server:
        # The same Python under another name.
        folder = server.root / "home" / "data" / "kernels" / "other"
        folder.mkdir(parents=True)
        argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Other", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        yield server


@pytest.fixture
def proxy(elsewhere):
    with Proxy(elsewhere.port) as made:
        yield made


@pytest.fixture(autouse=True)
async def nothing_stays(elsewhere, proxy, place, wait_until, monkeypatch):
    """What a server could not end before it had to go, the next one does, for there is a note of it."""
    yield
    folder = place.workspace / "spares"
    if notes(folder):
        monkeypatch.setattr("jupyter_mlws.compute.warm_kernels._APPEARS_SECONDS", 20.0)
        workspace = await asyncio.to_thread(workspaces.open, Layout(place.workspace))
        following = await Services.open(workspace, FEW, on_change=lambda changes: None)
        try:
            await wait_until(lambda: not notes(folder), 120, what="that nothing is noted")
        finally:
            await following.close()
    assert elsewhere.kernels() == []
    assert not list(elsewhere.temporary.glob("mlws-*"))


@pytest.fixture
async def open_services(place):
    opened = []

    async def open(**settings):
        workspace = await asyncio.to_thread(workspaces.open, Layout(place.workspace))
        wanted = replace(FEW, **settings)
        opened.append(await Services.open(workspace, wanted, on_change=lambda changes: None))
        return opened[-1]

    yield open
    for services in opened:
        await services.close()


@pytest.fixture
async def services(open_services):
    return await open_services()


@pytest.fixture
def lab2(services, elsewhere, proxy):
    """`await lab2(slots=2)`: the other server as a compute, or changed."""

    async def make(**changes):
        asked = {"type": "jupyter", "url": proxy.url, "token": elsewhere.token, "check": False, **changes}
        await services.computes.create("lab2", ComputeCreate(**asked), who="tester")

    return make


@pytest.fixture
def run(services, wait_until):
    """`await run("print(1)")`: what a job there prints; it must complete."""

    async def through(code, **fields):
        job = await begin(services, code, **fields)

        async def ended():
            now = await services.jobs.get(job.id)
            return now if now.status.is_terminal else None

        over = await wait_until(ended, 120, what="the job's end")
        assert over.status is JobStatus.COMPLETED, over.error
        page = await services.jobs.events(job.id, offset=0)
        assert [e.text for e in page.events if isinstance(e, Message) and e.level != "info"] == []
        return await text_of(services, job)

    return through


@pytest.fixture
def waits(place, wait_until):
    """`await waits()`: how the kernel that waits is found, once one does."""

    async def one():
        return await wait_until(lambda: spare(place), what="a kernel that waits")

    return one


@pytest.fixture
def cold(elsewhere, place, wait_until):
    """`await cold()`: once nothing of ours is there any more."""

    async def none():
        await wait_until(lambda: elsewhere.kernels() == [] and notes(place.workspace / "spares") == [])

    return none


@pytest.fixture
def gone(elsewhere, wait_until):
    """`await gone(found)`: once a kernel is not there any more."""

    async def ended(found):
        await wait_until(lambda: found.kernel_id not in elsewhere.kernels(), what="the end of the kernel")

    return ended


@pytest.fixture
def unhurried(monkeypatch):
    """A server that takes its time to end, so that how busy the machine is does not matter."""
    monkeypatch.setattr("jupyter_mlws.app._CLOSE_SECONDS", 60.0)


def spare(place):
    for path in notes(place.workspace / "spares", READY):
        return read(path)
    return None


def tokens(place):
    return list((place.workspace / "tokens").iterdir())


async def begin(services, code, **fields):
    spec = JobSpec(kind=JobKind.CELL, name="cell", code=code, compute="lab2", **fields)
    return await services.jobs.submit(spec, who="tester")


def tell(elsewhere, method, path):
    headers = {"Authorization": f"token {elsewhere.token}"}
    answer = httpx.request(method, elsewhere.url + path, headers=headers, timeout=60)
    assert answer.status_code < 300, answer.text


async def test_a_job_takes_the_kernel_that_waits_and_finds_it_fresh(lab2, run, waits, elsewhere):
    await lab2()
    code = (
        "import os\n"
        "print(os.getpid(), 'x' in globals(), os.listdir(), get_ipython().execution_count, sorted(\n"
        "    name for name in globals() if 'mlws' in name)); x = 1"
    )
    cold, *seen_cold = (await run(code)).split(maxsplit=1)
    found = await waits()
    assert elsewhere.kernels() == [found.kernel_id]
    (waiting,) = elsewhere.pids()
    warm, *seen_warm = (await run(code)).split(maxsplit=1)
    assert seen_warm == seen_cold
    assert int(warm) == waiting != int(cold)
    assert (await waits()).kernel_id != found.kernel_id  # and one waits for the next


async def test_a_kernel_that_is_stuck_is_no_trouble_of_the_job(lab2, run, waits, elsewhere, gone):
    await lab2()
    await run("1")
    found = await waits()
    folders = list(elsewhere.temporary.glob("mlws-*"))
    for pid in elsewhere.pids():
        os.kill(pid, signal.SIGSTOP)  # it answers nothing, and its server believes that it lives
    assert await run("print('cold')") == "cold\n"
    await gone(found)
    for folder in folders:
        shutil.rmtree(folder)  # it could not any more


async def test_a_kernel_that_somebody_ended_is_no_trouble_of_the_job(lab2, run, waits, elsewhere):
    await lab2()
    await run("1")
    tell(elsewhere, "DELETE", f"/api/kernels/{(await waits()).kernel_id}")
    assert await run("print('cold')") == "cold\n"


async def test_a_kernel_that_began_anew_is_no_trouble_of_the_job(lab2, run, waits, elsewhere, gone):
    await lab2()
    await run("1")
    found = await waits()
    tell(elsewhere, "POST", f"/api/kernels/{found.kernel_id}/restart")
    assert await run("print('cold')") == "cold\n"
    await gone(found)


async def test_a_job_with_another_kernel_does_not_take_it(lab2, run, waits):
    await lab2(slots=2)
    await run("1")
    found = await waits()
    await run("1", kernel=KernelChoice(name="other"))
    assert (await waits()).kernel_id == found.kernel_id


async def test_where_all_slots_are_taken_none_waits(lab2, run, waits, services, place, elsewhere, wait_until):
    go = place.root / "go"
    await lab2(slots=1)
    await run("1")
    found = await waits()
    job = await begin(services, f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)")
    await wait_until(lambda: spare(place) is None, what="that the job took it")
    job_runs = asyncio.create_task(asyncio.to_thread(elsewhere.kernels))
    assert await job_runs == [found.kernel_id]
    # Two looks of the leading server later there still is no other.
    looked = services.warm._looked_at
    await wait_until(lambda: services.warm._looked_at > looked + 2)
    assert elsewhere.kernels() == [found.kernel_id]
    go.touch()

    async def ended():
        return (await services.jobs.get(job.id)).status.is_terminal

    await wait_until(ended)


async def test_it_ends_with_its_compute_and_so_does_the_token(
    lab2, run, waits, services, gone, place, wait_until
):
    await lab2()
    await run("1")
    found = await waits()
    await services.computes.delete("lab2", who="tester")
    await gone(found)
    await wait_until(lambda: tokens(place) == [], what="that the token is gone")


async def test_it_is_ended_later_where_its_server_does_not_answer(
    lab2, run, waits, services, proxy, cold, place, monkeypatch, wait_until
):
    monkeypatch.setattr("jupyter_mlws.compute.warm_kernels._AGAIN_SECONDS", 0.5)
    await lab2()
    await run("1")
    await waits()
    proxy.cut()
    await services.computes.delete("lab2", who="tester")
    proxy.restore()
    await cold()
    await wait_until(lambda: tokens(place) == [], what="that the token is gone")


async def test_it_is_ended_though_it_is_listed_late(
    services, elsewhere, place, cold, wait_until, monkeypatch
):
    monkeypatch.setattr("jupyter_mlws.compute.warm_kernels._AGAIN_SECONDS", 0.1)
    monkeypatch.setattr("jupyter_mlws.kernels.remote.ending._LOOKS", (0.0,))
    looks = []

    async def find(server, session):
        looks.append(session)
        return await real(server, session) if len(looks) > 2 else None

    real = RemoteServer.find
    monkeypatch.setattr(RemoteServer, "find", find)
    async with asyncio.timeout(60):
        server = RemoteServer(elsewhere.url, name="lab2", token=lambda: elsewhere.token)
        await server.start("mlws-spare-late", kernel="python3")
        server.close()
    token = services.computes._tokens.keep(elsewhere.token)
    found = Whereabouts(
        name="lab2",
        url=elsewhere.url,
        token_file=str(services.computes._tokens.path(token)),
        session="mlws-spare-late",
        session_id="0",
    )
    written = SpareNotes(place.workspace / "spares")
    path = written.new()
    written.begin(path, found)
    written.claim(path)
    await services.warm.take_over(1)
    await cold()
    assert len(looks) == 3


async def test_another_kernel_for_the_compute_ends_it(lab2, run, waits, gone):
    await lab2()
    await run("1")
    found = await waits()
    await lab2(kernel="other")
    await gone(found)
    await run("1")
    assert (await waits()).spare.kernel == "other"


async def test_it_ends_when_no_job_comes(open_services, elsewhere, proxy, wait_until, cold, place):
    services = await open_services(fork_idle=3.0)
    asked = ComputeCreate(type="jupyter", url=proxy.url, token=elsewhere.token, check=False)
    await services.computes.create("lab2", asked, who="tester")
    await begin(services, "1")
    await wait_until(lambda: spare(place), what="a kernel that waits")
    await cold()


@pytest.mark.usefixtures("unhurried")
async def test_a_server_that_ends_leaves_none(lab2, run, waits, services, elsewhere):
    await lab2()
    await run("1")
    await waits()
    await services.close()
    assert elsewhere.kernels() == []


@pytest.mark.usefixtures("unhurried")
async def test_a_server_that_ends_while_one_is_started_leaves_none(
    lab2, run, services, elsewhere, place, wait_until
):
    await lab2()
    await run("1")
    await wait_until(lambda: notes(place.workspace / "spares", STARTING), what="a kernel that is started")
    await services.close()
    assert elsewhere.kernels() == []


async def test_where_no_spares_are_wanted_none_waits(open_services, elsewhere, proxy, wait_until, place):
    services = await open_services(spares=0)
    assert services.warm is None
    asked = ComputeCreate(type="jupyter", url=proxy.url, token=elsewhere.token, check=False)
    await services.computes.create("lab2", asked, who="tester")
    job = await begin(services, "1")

    async def ended():
        return (await services.jobs.get(job.id)).status.is_terminal

    await wait_until(ended, what="the job's end")
    assert not (place.workspace / "spares").exists()


@pytest.fixture
def small(small_server, wait_for):
    """A server that starts one kernel, and no more, and has none now."""
    for kernel in small_server.kernels():
        tell(small_server, "DELETE", f"/api/kernels/{kernel}")
    wait_for(lambda: not small_server.kernels(), what="an empty server")
    return small_server


@pytest.fixture(scope="module")
def small_server(tmp_path_factory):
    config = tmp_path_factory.mktemp("small") / "small.py"
    config.write_text(
        "from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager as M\n"
        "from tornado.web import HTTPError\n"
        "class Small(M):\n"
        "    async def start_kernel(self, *a, **k):\n"
        "        if len(self): raise HTTPError(503, 'The limit is reached')\n"
        "        return await super().start_kernel(*a, **k)\n"
        "c.ServerApp.kernel_manager_class = Small\n"
    )
    with running("server", arguments=(f"--config={config}",)) as server:
        folder = server.root / "home" / "data" / "kernels" / "other"
        folder.mkdir(parents=True)
        argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Other", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        yield server


async def test_on_a_full_server_it_gives_way_to_a_job(lab2, run, waits, small, wait_until):
    await lab2(url=small.url, token=small.token, slots=2)
    await run("1")
    found = await waits()
    assert await run("print('other')", kernel=KernelChoice(name="other")) == "other\n"
    await wait_until(lambda: found.kernel_id not in small.kernels(), what="the end of the kernel")


async def test_on_a_full_server_none_waits_and_jobs_go_on(lab2, run, services, small, place, wait_until):
    go = place.root / "go"
    await lab2(url=small.url, token=small.token, slots=2)
    code = f"import os, time\nprint('on')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    job = await begin(services, code)
    # A spare is tried for beside the job, and refused.
    await wait_until(
        lambda: any(p.not_before for p in services.warm._places.values()), what="that a spare was refused"
    )
    go.touch()

    async def ended():
        now = await services.jobs.get(job.id)
        return now if now.status.is_terminal else None

    assert (await wait_until(ended)).status is JobStatus.COMPLETED
