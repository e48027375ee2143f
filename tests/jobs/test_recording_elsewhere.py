"""What a job logs with MLflow on another Jupyter server, where nothing of this project is installed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.model.compute import ComputeCreate
from jupyter_mlws.model.job import Job, KernelChoice
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import read_record
from tests.jobs.conftest import cell, text_of
from tests.mlflow_runs import Runs, TrackingRefused
from tests.remotes.proxy import Proxy
from tests.remotes.server import Elsewhere, running


@pytest.fixture(scope="module")
def there() -> Iterator[Elsewhere]:
    with running("server") as server:
        yield server


@pytest.fixture
def proxy(there: Elsewhere) -> Iterator[Proxy]:
    with Proxy(there.port) as made:
        yield made


@pytest.fixture
async def services(place: Any, there: Elsewhere, proxy: Proxy) -> AsyncIterator[Services]:
    workspace = workspaces.open(Layout(place.workspace))
    services = await Services.open(workspace, Settings(preload=(), spares=1), on_change=lambda changes: None)
    asked = ComputeCreate(type="jupyter", url=proxy.url, token=there.token, slots=2)
    await services.computes.create("lab2", asked, who="tester")
    yield services
    await services.close()


async def with_status(services: Services, run_id: str | None, status: str) -> dict[str, Any] | None:
    """Return the run once MLflow has it with this status."""
    try:
        run = await run_of(services, run_id)
    except TrackingRefused:
        return None  # it is on its way there
    return run if run["info"]["status"] == status else None


async def run_of(services: Services, run_id: str | None) -> dict[str, Any]:
    assert services.tracking is not None and run_id is not None
    runs = Runs(services.tracking.ensure)
    try:
        return await runs.get(run_id)
    finally:
        await runs.close()


async def shipped(services: Services, job: Job, wait_until: Any) -> None:
    assert services.tracking is not None
    note = services.tracking.unshipped / f"{job.id}-{job.attempt}"
    await wait_until(lambda: not note.exists(), 90, what="all of it in MLflow")


def artifact(services: Services, run: dict[str, Any], path: str) -> bytes:
    assert services.tracking is not None
    record = read_record(services.tracking.settings)
    assert record is not None
    address = record.address
    place = run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    request = urllib.request.Request(
        f"{address.url}/api/2.0/mlflow-artifacts/artifacts/{place}/{path}",
        headers={"Authorization": f"Bearer {address.token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


async def test_what_is_logged_there_is_in_mlflow_here(
    services: Services, proxy: Proxy, ends: Any, prints: Any, wait_until: Any, tmp_path: Path
) -> None:
    code = f"""
import mlflow, os, tempfile, time
from pathlib import Path
print("tracking", sorted(name for name in os.environ if "TOKEN" in name))
folder = Path(tempfile.mkdtemp())
(folder / "big.bin").write_bytes(bytes(range(256)) * 20_000)
mlflow.log_param("depth", 3)
for step in range(300):
    mlflow.log_metric("loss", 1 / (step + 1), step=step)
mlflow.log_artifact(str(folder / "big.bin"), "files")
print("logged")
while not Path({str(tmp_path / "go")!r}).exists(): time.sleep(0.02)
mlflow.log_text("last words", "last.txt")
with mlflow.start_run(nested=True, run_name="inner"):
    mlflow.log_metric("inner", 2.0)
"""
    job = await services.jobs.submit(cell(code, compute="lab2", kernel=KernelChoice()), who="tester")
    await prints(services, job, "logged")
    proxy.blink()
    (tmp_path / "go").touch()
    ended = await ends(services, job)
    assert ended.status is JobStatus.COMPLETED, ended
    assert "tracking []" in await text_of(services, job)

    run = await wait_until(lambda: with_status(services, ended.run_id, "FINISHED"), 90, what="the run's end")
    assert {each["key"]: each["value"] for each in run["data"]["params"]}["depth"] == "3"
    assert {each["key"]: each["value"] for each in run["data"]["metrics"]} == {"loss": 1 / 300}
    assert artifact(services, run, "files/big.bin") == bytes(range(256)) * 20_000
    assert artifact(services, run, "last.txt") == b"last words"
    assert (await services.jobs.get(job.id)).run_id == run["info"]["run_id"]


async def test_what_a_killed_kernel_had_logged_is_there(
    services: Services, ends: Any, wait_until: Any
) -> None:
    code = """
import mlflow, os, signal, time
for step in range(50):
    mlflow.log_metric("loss", float(step), step=step)
time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    job = await services.jobs.submit(cell(code, compute="lab2", kernel=KernelChoice()), who="tester")
    ended = await ends(services, job)
    assert ended.status is JobStatus.FAILED and ended.error is not None, json.dumps(str(ended))

    run = await wait_until(lambda: with_status(services, ended.run_id, "FAILED"), 90, what="the run's end")
    assert {each["key"]: each["value"] for each in run["data"]["metrics"]} == {"loss": 49.0}
