"""What goes wrong around jobs: servers that die at any moment, files that are gone, MLflow that hangs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlws.app import Services
from jupyter_mlws.compute.local import LocalCompute
from jupyter_mlws.jobs import watching
from jupyter_mlws.jobs.ending import Finisher
from jupyter_mlws.jobs.folder import AttemptFolder
from jupyter_mlws.jobs.following import Following
from jupyter_mlws.jobs.launch import Launcher
from jupyter_mlws.jobs.progress import Progress
from jupyter_mlws.jobs.watching import Watcher
from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Attempt, Job
from jupyter_mlws.model.status import JobStatus, Wanted
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.processes.runtime_folder import runtime_folder
from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout
from tests.jobs.conftest import Open, cell, text_of, waiting_for
from tests.jobs.making import make_job

WaitUntil = Callable[..., Awaitable[Any]]
FOREVER = "import time\nprint('running', flush=True)\nwhile True: time.sleep(0.1)"


async def attempt_of(services: Services, job: Job) -> Attempt:
    return (await services.jobs.attempts(job.id))[-1]


async def test_a_line_of_the_log_that_cannot_be_read_stops_nothing(
    open_services: Open, ends: Any, prints: Any, tmp_path: Path
) -> None:
    services = await open_services()
    go = tmp_path / "go"
    job = await services.jobs.submit(cell(waiting_for(go)), who="ada")
    await prints(services, job, "before")
    with services.layout.attempt(job.id, 1).events.open("ab") as log:
        log.write(b'{"t":1,"type":"no such event"}\n')
    go.touch()
    done = await ends(services, job)
    assert done.status is JobStatus.COMPLETED, done.error
    page = await services.jobs.events(job.id)
    said = [event.text for event in page.events if event.type == "message"]
    assert any("cannot be read" in text and "no such event" in text for text in said)


async def test_one_broken_job_does_not_keep_the_others(open_services: Open, ends: Any, prints: Any) -> None:
    services = await open_services(cpus=4)
    broken = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, broken, "running")
    events = services.layout.attempt(broken.id, 1).events
    events.unlink()
    events.mkdir()
    job = await services.jobs.submit(cell("print('fine')"), who="ada")
    assert (await ends(services, job)).status is JobStatus.COMPLETED


async def test_a_server_that_dies_while_an_end_is_recorded_changes_nothing_of_it(
    open_services: Open, ends: Any, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*arguments: Any) -> None:
        await asyncio.Event().wait()

    first = await open_services()
    with monkeypatch.context() as patch:
        patch.setattr(Finisher, "_closed", never)
        job = await first.jobs.submit(cell("answer = 42\nprint('done')", outputs=["answer"]), who="ada")

        async def read_to_its_end() -> bool:
            now = await first.jobs.get(job.id)
            if now.status is not JobStatus.FINALIZING or _alive(first, job):
                return False
            return now.offset == first.layout.attempt(job.id, 1).events.stat().st_size

        await wait_until(read_to_its_end, 60, what="the end of the log")
        await first.close()
    second = await open_services()
    done = await ends(second, job)
    assert done.status is JobStatus.COMPLETED, done.error
    assert done.environment is not None
    assert [item.name for item in done.results] == ["answer"]


def _alive(services: Services, job: Job) -> bool:
    process = AttemptFolder(services.layout.attempt(job.id, 1)).process()
    return process is not None and process.alive()


async def test_a_job_canceled_before_its_worker_was_started_never_runs(
    open_services: Open, ends: Any, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    launching = asyncio.Event()

    async def never(*arguments: Any, **named: Any) -> None:
        launching.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Launcher, "launch", never)
    services = await open_services()
    job = await services.jobs.submit(cell("1"), who="ada")
    await asyncio.wait_for(launching.wait(), 30)
    await services.jobs.cancel(job.id, who="ada")
    done = await ends(services, job)
    assert (done.status, done.error) == (JobStatus.CANCELED, None)
    assert services.layout.attempt(job.id, 1).claim.exists()


async def test_a_job_canceled_while_its_worker_is_started_takes_the_worker_along(
    open_services: Open, ends: Any, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[ProcessRef] = []
    launch = LocalCompute.launch

    async def slowly(self: LocalCompute, folder: Path) -> ProcessRef:
        started.append(await launch(self, folder))
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(LocalCompute, "launch", slowly)
    services = await open_services()
    job = await services.jobs.submit(cell(FOREVER), who="ada")
    await wait_until(lambda: services.layout.attempt(job.id, 1).claim.exists(), what="the worker's claim")
    await services.jobs.cancel(job.id, who="ada")
    done = await ends(services, job)
    assert done.status is JobStatus.CANCELED
    await wait_until(lambda: not started[0].alive(), what="the worker's end")


async def test_a_launch_that_fails_unexpectedly_ends_the_job(
    open_services: Open, ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: Any, **named: Any) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(Launcher, "launch", broken)
    services = await open_services()
    done = await ends(services, await services.jobs.submit(cell("1"), who="ada"))
    assert done.status is JobStatus.FAILED
    assert done.error is not None
    assert done.error.code == "launch_failed"
    assert "a mistake of ours" in done.error.message


async def test_a_live_folder_that_went_while_the_job_waited(
    open_services: Open, ends: Any, prints: Any, tmp_path: Path
) -> None:
    services = await open_services(cpus=1)
    first = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, first, "running")
    folder = tmp_path / "gone"
    folder.mkdir()
    waiting = await services.jobs.submit(cell("1", folder=str(folder)), who="ada")
    folder.rmdir()
    await services.jobs.cancel(first.id, who="ada")
    done = await ends(services, waiting)
    assert done.error is not None
    assert done.error.code == "folder_gone"
    assert str(folder) in done.error.message


async def test_a_folder_removed_by_hand_is_named(open_services: Open, ends: Any, prints: Any) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, job, "running")
    attempt = await attempt_of(services, job)
    shutil.rmtree(services.layout.job(job.id))
    os.kill(attempt.pid or 0, signal.SIGKILL)
    done = await ends(services, job)
    assert done.error is not None
    assert done.error.code == "folder_gone"


async def test_a_job_whose_folder_went_while_no_server_ran_is_not_run_again(
    open_services: Open, ends: Any, prints: Any, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_BEGIN_SECONDS", 0.5)
    first = await open_services()
    job = await first.jobs.submit(cell(FOREVER), who="ada")
    await prints(first, job, "running")

    async def known() -> bool:
        return (await attempt_of(first, job)).pid is not None

    await wait_until(known)
    attempt = await attempt_of(first, job)
    await first.close()
    shutil.rmtree(first.layout.job(job.id))
    os.kill(attempt.pid or 0, signal.SIGKILL)
    second = await open_services()
    done = await ends(second, job)
    assert (done.status, done.attempt) == (JobStatus.FAILED, 1)


async def test_folders_that_no_job_owns_are_swept(
    open_services: Open, ends: Any, wait_until: WaitUntil
) -> None:
    first = await open_services()
    job = await first.jobs.submit(cell("1"), who="ada")
    await ends(first, job)
    await first.close()
    layout = first.layout
    old, young, strange = layout.job(new_id()), layout.job(new_id()), layout.jobs / "not a job"
    for folder in (old, young, strange):
        folder.mkdir()
        (folder / "snapshot.json").write_text("{}")
    for folder in (old, strange, layout.job(job.id)):
        os.utime(folder, (time.time() - 7200,) * 2)
    await open_services()
    await wait_until(lambda: not old.exists(), what="the sweep")
    assert young.exists()
    assert strange.exists()
    assert layout.attempt(job.id, 1).events.exists()


def test_an_attempt_that_never_began_cannot_be_begun_later(tmp_path: Path) -> None:
    folder = AttemptFolder(AttemptFiles(tmp_path / "attempts" / "1"))
    assert folder.forestall()
    with pytest.raises(FileExistsError):
        folder.begin()
    assert not folder.forestall()


@pytest.mark.parametrize("name", ["data", "mlws-k", "mlws-k1234567/../data"])
def test_nothing_but_a_folder_of_sockets_is_removed(name: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "mlws-k").mkdir()
    folder = AttemptFolder(AttemptFiles(tmp_path))
    folder.files.kernel_folder.write_text(str(tmp_path / name))
    folder.remove_kernel_folder()
    assert (tmp_path / "data").exists()
    assert (tmp_path / "mlws-k").exists()


def test_a_kernel_that_had_only_just_begun_ends_with_its_folder(tmp_path: Path) -> None:
    place = tmp_path / "mlws-k1234567a"
    # As ipykernel does: whatever happened to its folder meanwhile, it makes it.
    begins = (
        "import pathlib, sys, time\n"
        "place = pathlib.Path(sys.argv[1]).parent\n"
        "while True: place.mkdir(exist_ok=True); print('on', flush=True); time.sleep(0.01)"
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", begins, place / "kernel.json"], stdout=subprocess.PIPE, text=True
    )
    assert kernel.stdout is not None
    try:
        assert kernel.stdout.readline() == "on\n"
        folder = AttemptFolder(AttemptFiles(tmp_path))
        folder.files.kernel_folder.write_text(str(place))
        folder.remove_kernel_folder()
        assert kernel.wait(10) == -9
        assert not place.exists()
    finally:
        kernel.kill()
        kernel.wait()
        kernel.stdout.close()


async def test_many_waiting_jobs_are_canceled_and_deleted(open_services: Open, wait_until: WaitUntil) -> None:
    services = await open_services(cpus=1)
    jobs = [make_job(cpus=1) for _ in range(150)]
    jobs = [job.model_copy(update={"wanted": Wanted.DELETE}) for job in jobs]
    await services.records.write(lambda tx: [rows.insert(tx, job) for job in jobs] and None)

    async def gone() -> bool:
        return sum((await services.jobs.counts()).values()) == 0

    await wait_until(gone, 60, what="the removal of all")
    with pytest.raises(NotFound):
        await services.jobs.get(jobs[0].id)


async def test_without_a_doorbell_jobs_run(open_services: Open, ends: Any, place: Any) -> None:
    workspace = workspaces.open(Layout(place.workspace))
    (runtime_folder(workspace.id) / "doorbell.sock" / "in the way").mkdir(parents=True)
    services = await open_services()
    done = await ends(services, await services.jobs.submit(cell("print('heard')"), who="ada"))
    assert await text_of(services, done) == "heard\n"


async def test_a_job_that_never_stops_writing_leaves_time_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Roster:
        rung: list[str] = []

        async def save(self, following: Following, progress: Progress) -> None:
            following.progress = progress

        def ring(self, id: str) -> None:
            self.rung.append(id)

    monkeypatch.setattr(watching, "read_events", lambda path, offset: ([], offset + (4 << 20)))
    job, roster = make_job(status=JobStatus.RUNNING), Roster()
    attempt = Attempt(number=1, status=JobStatus.RUNNING, folder="x", created_at=datetime.now(UTC))
    following = Following(Progress(job, attempt), AttemptFolder(AttemptFiles(tmp_path)))
    anything: Any = roster
    watcher = Watcher(roster=anything, finisher=None, mirror=None)  # type: ignore[arg-type] - not reached
    await asyncio.wait_for(watcher.look(following), 30)
    assert roster.rung == [job.id]
    assert following.progress.job.offset > 1


async def test_a_worker_whose_server_lost_the_lead_leaves_no_zombie(
    open_services: Open, prints: Any, wait_until: WaitUntil
) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, job, "running")

    async def known() -> bool:
        return (await attempt_of(services, job)).pid is not None

    await wait_until(known)
    pid = (await attempt_of(services, job)).pid
    assert pid is not None
    await services.loop.close()
    os.kill(pid, signal.SIGKILL)
    await wait_until(lambda: not psutil.pid_exists(pid), what="its being reaped")
