"""Jobs from their submission to their end, with real workers and kernels."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlws.compute.roster import ComputeUnknown
from jupyter_mlws.jobs.folder import NothingThere
from jupyter_mlws.jobs.kernelspecs import KernelUnknown
from jupyter_mlws.jobs.service import JobEnded
from jupyter_mlws.jobs.submission import (
    BlobMissing,
    FolderMissing,
    NotebookMalformed,
    OutputNameInvalid,
    ResourcesTooLarge,
    ScriptMissing,
)
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.job import JobKind, JobPatch, JobSpec, KernelChoice, Priority, Rerun, Resources
from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import jobs as rows
from tests.jobs.conftest import Open, cell, script, text_of, waiting_for

WaitUntil = Callable[..., Awaitable[Any]]
FOREVER = "import time\nprint('running', flush=True)\nwhile True: time.sleep(0.1)"


async def test_a_cell_runs_and_its_result_is_kept(open_services: Open, ends: Any) -> None:
    services = await open_services(price_per_hour=3600.0)
    job = await services.jobs.submit(cell("answer = 6 * 7\nprint(answer)", outputs=["answer"]), who="ada")
    done = await ends(services, job)
    assert done.status is JobStatus.COMPLETED, done.error
    assert await text_of(services, done) == "42\n"
    assert [(item.name, item.type) for item in done.results] == [("answer", "int")]
    assert (await services.jobs.result_path(done.id, "answer")).is_file()
    assert done.seconds > 0
    assert done.cost == pytest.approx(done.seconds, rel=0.01)
    assert done.created_by == "ada"
    assert done.environment is not None
    with pytest.raises(NothingThere, match="'other'"):
        await services.jobs.result_path(done.id, "other")


async def test_a_failure_says_what_and_where(open_services: Open, ends: Any) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell("raise ValueError('größer als ∞')"), who="ada")
    done = await ends(services, job)
    assert done.status is JobStatus.FAILED
    assert done.error is not None
    assert "größer als ∞" in done.error.message


async def test_a_running_job_is_canceled_and_its_output_kept(
    open_services: Open, ends: Any, prints: Any
) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, job, "running")
    await services.jobs.cancel(job.id, who="bob")
    done = await ends(services, job)
    assert done.status is JobStatus.CANCELED
    assert "running" in await text_of(services, done)
    with pytest.raises(JobEnded, match="Canceled already"):
        await services.jobs.cancel(job.id, who="bob")


async def test_a_waiting_job_is_canceled_without_an_attempt(
    open_services: Open, ends: Any, prints: Any
) -> None:
    services = await open_services(cpus=1)
    running = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, running, "running")
    waiting = await services.jobs.submit(cell("1"), who="ada")
    await services.jobs.cancel(waiting.id, who="ada")
    done = await ends(services, waiting)
    assert (done.status, done.attempt) == (JobStatus.CANCELED, 0)


async def test_priority_decides_who_is_next(
    open_services: Open, ends: Any, prints: Any, tmp_path: Path
) -> None:
    services = await open_services(cpus=1)
    first = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, first, "running")
    note = f"open({str(tmp_path / 'order')!r}, 'a').write"
    low = await services.jobs.submit(cell(f"{note}('low ')", priority=Priority.LOW), who="ada")
    plain = await services.jobs.submit(cell(f"{note}('plain ')"), who="ada")
    await services.jobs.patch(low.id, JobPatch(priority=Priority.HIGH), who="ada")
    with pytest.raises(JobEnded, match="priority"):
        await services.jobs.patch(first.id, JobPatch(priority=Priority.LOW), who="ada")
    await services.jobs.cancel(first.id, who="ada")
    for job in (low, plain):
        assert (await ends(services, job)).status is JobStatus.COMPLETED
    assert (tmp_path / "order").read_text() == "low plain "


async def test_retries_are_attempts_of_their_own(open_services: Open, ends: Any, tmp_path: Path) -> None:
    services = await open_services()
    code = f"""
from pathlib import Path
tries = Path({str(tmp_path / "tries")!r})
tries.open("a").write("x")
print("try", len(tries.read_text()))
if len(tries.read_text()) < 3:
    raise RuntimeError("not yet")
"""
    job = await services.jobs.submit(cell(code, retries=2), who="ada")
    done = await ends(services, job)
    assert (done.status, done.attempt, done.error) == (JobStatus.COMPLETED, 3, None)
    attempts = await services.jobs.attempts(job.id)
    assert [a.status for a in attempts] == [JobStatus.FAILED, JobStatus.FAILED, JobStatus.COMPLETED]
    assert await text_of(services, done, attempt=1) == "try 1\n"
    assert await text_of(services, done) == "try 3\n"


async def test_without_retries_nothing_is_tried_again(open_services: Open, ends: Any) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell("1 / 0"), who="ada")
    assert (await ends(services, job)).attempt == 1


async def test_a_worker_that_was_killed_takes_its_kernel_along(
    open_services: Open, ends: Any, prints: Any, wait_until: WaitUntil
) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, job, "running")

    async def kernel_known() -> Any:
        (attempt,) = await services.jobs.attempts(job.id)
        return attempt if attempt.kernel_pid else None

    attempt = await wait_until(kernel_known)
    os.kill(attempt.pid, signal.SIGKILL)
    done = await ends(services, job)
    assert done.status is JobStatus.FAILED
    assert done.error is not None
    assert done.error.code == "worker_died"
    await wait_until(lambda: not psutil.pid_exists(attempt.kernel_pid), 30, what="the kernel's end")


async def test_a_job_outlives_the_server_and_is_adopted(
    open_services: Open, ends: Any, prints: Any, tmp_path: Path
) -> None:
    first = await open_services()
    go = tmp_path / "go"
    job = await first.jobs.submit(cell(waiting_for(go)), who="ada")
    await prints(first, job, "before")
    await first.close()
    go.touch()
    second = await open_services()
    done = await ends(second, job)
    assert done.status is JobStatus.COMPLETED, done.error
    assert await text_of(second, done) == "before\nafter\n"
    assert done.attempt == 1


async def test_another_server_leads_when_the_first_goes(
    open_services: Open, ends: Any, wait_until: WaitUntil
) -> None:
    first = await open_services()
    await wait_until(lambda: first.leader)
    second = await open_services()
    job = await second.jobs.submit(cell("print('led by the first')"), who="bob")
    assert (await ends(second, job)).status is JobStatus.COMPLETED
    assert not second.leader
    await first.close()
    await wait_until(lambda: second.leader, 20, what="the second server's lead")


async def test_a_deleted_job_leaves_nothing(
    open_services: Open, ends: Any, prints: Any, wait_until: WaitUntil
) -> None:
    services = await open_services()
    job = await services.jobs.submit(cell(FOREVER), who="ada")
    await prints(services, job, "running")
    await services.jobs.delete(job.id, who="ada")
    with pytest.raises(NotFound):
        await services.jobs.get(job.id)

    async def gone() -> bool:
        return await services.records.read(lambda tx: rows.find(tx, job.id)) is None

    await wait_until(gone, 60, what="the job's removal")
    assert not services.layout.job(job.id).exists()


async def test_a_script_runs_again_as_it_was_though_the_folder_is_gone(
    open_services: Open, ends: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "helper.py").write_text("WORD = 'old'\n")
    (folder / "main.py").write_text(
        "import sys, helper\nprint(helper.WORD, open('data.txt').read(), sys.argv[1:])\n"
    )
    (folder / "data.txt").write_text("data")
    services = await open_services()
    job = await services.jobs.submit(script(folder, "main.py", parameters={"depth": 3}), who="ada")
    (folder / "helper.py").write_text("WORD = 'new'\n")
    done = await ends(services, job)
    assert done.status is JobStatus.COMPLETED, done.error
    assert await text_of(services, done) == "old data ['--depth', '3']\n"
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    again = await services.jobs.rerun(job.id, Rerun(parameters={"depth": 4}), who="ada")
    done = await ends(services, again)
    assert done.status is JobStatus.COMPLETED, done.error
    assert await text_of(services, done) == "old data ['--depth', '4']\n"
    assert done.spec.rerun_of == job.id


async def test_a_cell_runs_in_the_live_folder_and_again_in_its_snapshot(
    open_services: Open, ends: Any, tmp_path: Path, wait_until: WaitUntil
) -> None:
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "word.txt").write_text("first")
    services = await open_services()
    code = "from pathlib import Path\nprint(Path('word.txt').read_text())\nPath('made').touch()"
    job = await services.jobs.submit(cell(code, folder=str(folder)), who="ada")

    async def kept() -> bool:
        return (await services.jobs.get(job.id)).has_snapshot

    await ends(services, job)
    assert (folder / "made").exists()
    await wait_until(kept, what="the snapshot")
    (folder / "word.txt").write_text("second")
    (folder / "made").unlink()
    done = await ends(services, await services.jobs.rerun(job.id, Rerun(), who="ada"))
    assert await text_of(services, done) == "first\n"
    assert not (folder / "made").exists()


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        (cell("1", compute="lab2"), ComputeUnknown, "'lab2'"),
        (cell("1", resources=Resources(cpus=999)), ResourcesTooLarge, "999 cpus"),
        (cell("1", kernel=KernelChoice(name="no-such")), KernelUnknown, "'no-such'"),
        (cell("1", kernel=KernelChoice(executable="/no/python")), KernelUnknown, "/no/python"),
        (cell("1", folder="/no/such/folder"), FolderMissing, "/no/such/folder"),
        (cell("1", folder="relative"), FolderMissing, "relative"),
        (cell("1", folder="/" + "x" * 5000), FolderMissing, "xxx"),
        (cell("1", kernel=KernelChoice(executable="/")), KernelUnknown, "'/'"),
        (cell("1", outputs=["no name"]), OutputNameInvalid, "'no name'"),
        (script(Path("/tmp"), "run", path="a\0b"), ScriptMissing, "x00"),
        (script(Path("/tmp"), "../../etc/passwd"), ScriptMissing, "passwd"),
        (JobSpec(kind=JobKind.NOTEBOOK, name="n", notebook="0" * 64), BlobMissing, "000000000000"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
async def test_what_cannot_run_is_refused_before_anything_is_kept(
    open_services: Open, spec: JobSpec, error: type[Exception], said: str
) -> None:
    services = await open_services()
    with pytest.raises(error) as caught:
        await services.jobs.submit(spec, who="ada")
    assert said in str(caught.value)
    assert (await services.jobs.page(JobQuery())).total == 0
    assert list(services.layout.jobs.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not json", "not JSON"),
        (b"[1, 2]", "not a notebook"),
        (b'{"nbformat": 9, "cells": []}', "nbformat 9"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [], "metadata": 3}', "no list of cells"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ],
)
async def test_what_is_no_notebook_is_refused(open_services: Open, content: bytes, said: str) -> None:
    services = await open_services()
    spec = JobSpec(kind=JobKind.NOTEBOOK, name="x.ipynb", notebook=services.blobs.put(content))
    with pytest.raises(NotebookMalformed, match=said):
        await services.jobs.submit(spec, who="ada")
