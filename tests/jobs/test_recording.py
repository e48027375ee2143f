"""What MLflow has of a job, and the job of MLflow: real services, workers, kernels and MLflow's server."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.jobs.shipped import AWAY
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import run_values, workspaces
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import read_record
from tests.jobs.conftest import cell
from tests.mlflow_runs import Runs

Open = Callable[..., Awaitable[Services]]


@pytest.fixture
async def open_tracked(place: Any) -> AsyncIterator[Open]:
    """`await open_tracked()`: services with MLflow, whose server is ended at the end."""
    opened: list[Services] = []

    async def open() -> Services:
        workspace = workspaces.open(Layout(place.workspace))
        services = await Services.open(workspace, Settings(cpus=4), on_change=lambda changes: None)
        opened.append(services)
        return services

    yield open
    for services in opened:
        await services.close()


async def run_of(services: Services, run_id: str | None) -> dict[str, Any]:
    assert services.tracking is not None and run_id is not None
    runs = Runs(services.tracking.ensure)
    try:
        return await runs.get(run_id)
    finally:
        await runs.close()


def values(run: dict[str, Any], kind: str) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in run["data"].get(kind, [])}


def kill_mlflow(services: Services) -> None:
    assert services.tracking is not None
    record = read_record(services.tracking.settings)
    assert record is not None and record.pid is not None
    process = psutil.Process(record.pid)
    process.kill()
    psutil.wait_procs([process], timeout=10)


async def shipped(services: Services, job: Job, wait_until: Any) -> None:
    assert services.tracking is not None
    note = services.tracking.unshipped / f"{job.id}-{job.attempt}"
    await wait_until(lambda: not note.exists(), 90, what="all of it in MLflow")


async def test_a_completed_job_is_complete_in_mlflow(open_tracked: Open, ends: Any, tmp_path: Path) -> None:
    services = await open_tracked()
    assert services.tracking is not None
    await services.tracking.ensure()
    code = """
import mlflow, subprocess, sys
with mlflow.start_run():
    mlflow.log_metrics({"loss": 0.5, "nan": float("nan")})
    mlflow.log_text("hello", "a.txt")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("of the child", 1)
subprocess.run([sys.executable, "-c", "import mlflow; mlflow.log_metric('elsewhere', 2)"], check=True)
"""
    spec = cell(code, parameters={"depth": 6}, experiment="Trees", folder=str(tmp_path))
    job = await ends(services, await services.jobs.submit(spec, who="ada"))
    assert (job.status, job.message) == (JobStatus.COMPLETED, None)
    run = await run_of(services, job.run_id)
    assert run["info"]["status"] == "FINISHED"
    assert values(run, "metrics") == {"loss": 0.5, "nan": "NaN", "elsewhere": 2}
    assert values(run, "params") == {"depth": "6"}
    assert {"mlws.job": job.id, "mlws.attempt": "1", "mlflow.user": "ada"}.items() <= values(
        run, "tags"
    ).items()
    at = services.tracking.artifacts / run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    there = {str(path.relative_to(at)) for path in at.rglob("*") if path.is_file()}
    assert there == {"a.txt", "code/cell.py", "environment/requirements.txt", "notebook.ipynb"}
    # The mirror has the same.
    assert job.metrics == {"loss": 0.5, "nan": None, "elsewhere": 2.0}
    mirrored = await services.records.read(lambda tx: run_values.read(tx, [job.id]))
    assert mirrored[job.id] == run_values.RunValues(job.metrics, {"depth": "6"})
    assert list(services.tracking.unshipped.iterdir()) == []


async def test_mlflow_killed_in_the_middle_of_a_job(
    open_tracked: Open, ends: Any, prints: Any, wait_until: Any, tmp_path: Path
) -> None:
    services = await open_tracked()
    assert services.tracking is not None
    await services.tracking.ensure()
    go = tmp_path / "go"
    code = f"""
import mlflow, pathlib, time
mlflow.log_metric("before", 1)
print("logged", flush=True)
while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)
for step in range(500):
    mlflow.log_metric("after", step, step=step)
mlflow.log_text("hello", "a.txt")
"""
    job = await services.jobs.submit(cell(code), who="ada")
    await prints(services, job, "logged")
    kill_mlflow(services)
    go.touch()
    job = await ends(services, job)
    assert job.status is JobStatus.COMPLETED
    await shipped(services, job, wait_until)
    run = await run_of(services, job.run_id)
    assert values(run, "metrics") == {"before": 1, "after": 499}
    assert run["info"]["status"] == "FINISHED"
    now = await services.jobs.get(job.id)
    assert now.metrics == {"before": 1.0, "after": 499.0}
    assert now.message is None


async def test_kernel_and_worker_killed_right_after_logging(
    open_tracked: Open, ends: Any, prints: Any, wait_until: Any
) -> None:
    services = await open_tracked()
    code = """
import mlflow, time
mlflow.log_param("p", 1)
for step in range(100):
    mlflow.log_metric("m", step, step=step)
mlflow.log_text("hello", "a.txt")
print("logged", flush=True)
time.sleep(600)
"""
    job = await services.jobs.submit(cell(code), who="ada")
    await prints(services, job, "logged")
    attempt = (await services.jobs.attempts(job.id))[-1]
    assert attempt.pid is not None and attempt.kernel_pid is not None
    for pid in (attempt.kernel_pid, attempt.pid):
        os.kill(pid, signal.SIGKILL)
    job = await ends(services, job)
    assert job.status is JobStatus.FAILED
    await shipped(services, job, wait_until)
    run = await run_of(services, job.run_id)
    assert values(run, "metrics") == {"m": 99}
    assert values(run, "params") == {"p": "1"}
    assert run["info"]["status"] == "FAILED"
    assert services.tracking is not None
    assert list(services.tracking.artifacts.rglob("a.txt"))


async def test_what_a_server_left_is_shipped_by_the_next(
    open_tracked: Open, ends: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs that ended while MLflow was away, which no server follows any more."""
    first = await open_tracked()
    assert first.tracking is not None

    async def away() -> None:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(first.tracking, "ensure", away)
        job = await ends(
            first, await first.jobs.submit(cell("import mlflow; mlflow.log_metric('m', 1)"), who="a")
        )
        assert (job.status, job.message) == (JobStatus.COMPLETED, AWAY)
        assert job.metrics == {"m": 1.0}
        await first.close()
    second = await open_tracked()
    await shipped(second, job, wait_until)
    run = await run_of(second, job.run_id)
    assert (values(run, "metrics"), run["info"]["status"]) == ({"m": 1}, "FINISHED")
    assert (await second.jobs.get(job.id)).message is None


async def test_each_attempt_has_a_run_of_its_own(open_tracked: Open, ends: Any, tmp_path: Path) -> None:
    services = await open_tracked()
    mark = tmp_path / "mark"
    code = f"""
import mlflow, pathlib
mark = pathlib.Path({str(mark)!r})
if not mark.exists():
    mark.touch()
    mlflow.log_metric("first", 1)
    raise ValueError("once")
mlflow.log_metric("second", 2)
"""
    assert services.tracking is not None
    await services.tracking.ensure()
    job = await ends(services, await services.jobs.submit(cell(code, retries=1), who="ada"))
    assert (job.status, job.attempt) == (JobStatus.COMPLETED, 2)
    assert job.metrics == {"second": 2.0}
    mirrored = await services.records.read(lambda tx: run_values.read(tx, [job.id]))
    assert mirrored[job.id].metrics == {"second": 2.0}
    assert values(await run_of(services, job.run_id), "metrics") == {"second": 2}
