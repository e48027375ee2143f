"""What users try with jobs on another Jupyter server, through all of our services."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.compute.service import ComputeBusy, ComputeUnreachable
from jupyter_mlws.model.compute import ComputeCreate
from jupyter_mlws.model.compute_address import TokenInvalid
from jupyter_mlws.model.job import JobKind, JobSpec, KernelChoice
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout
from tests.jobs.conftest import cell, text_of, waiting_for
from tests.jobs.test_recording_elsewhere import with_status
from tests.remotes.server import Elsewhere, running

HERE = KernelChoice()


@pytest.fixture(scope="module")
def there() -> Iterator[Elsewhere]:
    with running("server") as server:
        yield server
        assert server.kernels() == []


@pytest.fixture
async def services(place: Any, there: Elsewhere) -> AsyncIterator[Services]:
    workspace = workspaces.open(Layout(place.workspace))
    services = await Services.open(workspace, Settings(preload=(), spares=0), on_change=lambda changes: None)
    for name in ("lab2", "same"):
        asked = ComputeCreate(type="jupyter", url=there.url, token=there.token, slots=2, check=False)
        await services.computes.create(name, asked, who="tester")
    yield services
    await services.close()


async def test_one_server_under_two_names_and_no_deletion_while_jobs_run(
    services: Services, ends: Any, prints: Any, tmp_path: Path
) -> None:
    code = waiting_for(tmp_path / "go")
    jobs = [
        await services.jobs.submit(cell(code, compute=name, kernel=HERE), who="tester")
        for name in ("lab2", "same", "lab2")
    ]
    for job in jobs:
        await prints(services, job, "before")
    with pytest.raises(ComputeBusy, match="2 jobs run there"):
        await services.computes.delete("lab2", who="tester")
    (tmp_path / "go").touch()
    for job in jobs:
        ended = await ends(services, job)
        assert ended.status is JobStatus.COMPLETED, ended
    await services.computes.delete("same", who="tester")


async def test_a_wrong_scheme_and_a_token_that_is_none_are_one_sentence(
    services: Services, there: Elsewhere
) -> None:
    asked = ComputeCreate(type="jupyter", url=f"https://127.0.0.1:{there.port}", token=there.token)
    with pytest.raises(ComputeUnreachable, match="may have to begin with http://") as refused:
        await services.computes.create("wrong", asked, who="tester")
    assert there.token not in str(refused.value)
    for token in ("two\nlines", "with\rreturn", "\x00"):
        asked = ComputeCreate(type="jupyter", url=there.url, token=token)
        with pytest.raises(TokenInvalid) as invalid:
            await services.computes.create("wrong", asked, who="tester")
        assert token not in str(invalid.value)


async def test_a_job_for_a_server_that_is_gone_fails_with_one_sentence(
    services: Services, ends: Any, free_port: int
) -> None:
    asked = ComputeCreate(type="jupyter", url=f"http://127.0.0.1:{free_port}", check=False)
    await services.computes.create("gone", asked, who="tester")
    assert not (await services.computes.check("gone")).reachable
    job = await services.jobs.submit(cell("1", compute="gone", kernel=HERE), who="tester")
    ended = await ends(services, job)
    assert ended.status is JobStatus.FAILED
    assert ended.error is not None
    assert ended.error.code == "compute_unreachable"
    assert "'gone' does not answer" in ended.error.message


async def test_a_model_that_scikit_learn_logs_there_is_here(
    services: Services, ends: Any, wait_until: Any
) -> None:
    code = """
import mlflow, mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
mlflow.sklearn.autolog(log_models=False)
X, y = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=300).fit(X, y)
mlflow.sklearn.log_model(model, name="iris", serialization_format="cloudpickle")
"""
    job = await services.jobs.submit(cell(code, compute="lab2", kernel=HERE), who="tester")
    ended = await ends(services, job)
    assert ended.status is JobStatus.COMPLETED, (ended, await text_of(services, job))
    run = await wait_until(lambda: with_status(services, ended.run_id, "FINISHED"), 90, what="the run's end")
    assert {each["key"]: each["value"] for each in run["data"]["params"]}["max_iter"] == "300"
    assert any("training" in each["key"] for each in run["data"]["metrics"])
    assert len(run["outputs"]["model_outputs"]) == 1


async def test_reads_of_mlflow_are_refused_at_once(services: Services, ends: Any) -> None:
    code = """
import mlflow
for read in (mlflow.search_runs, mlflow.MlflowClient().search_registered_models):
    try:
        read()
    except Exception as error:
        print(type(error).__name__, error)
print(mlflow.get_run(mlflow.active_run().info.run_id).info.run_id)  # its own run is known
"""
    job = await services.jobs.submit(cell(code, compute="lab2", kernel=HERE), who="tester")
    ended = await ends(services, job)
    text = await text_of(services, job)
    assert ended.status is JobStatus.COMPLETED, (ended, text)
    assert text.count("it is on the machine that the job was submitted from") == 2
    assert str(ended.run_id) in text


async def test_a_child_that_a_job_forks_there_is_told_that_it_cannot_log(
    services: Services, ends: Any, wait_until: Any
) -> None:
    code = """
import mlflow, os
mlflow.log_metric("before", 1.0)
pid = os.fork()
if pid == 0:
    try:
        mlflow.log_metric("child", 2.0)
    except BaseException as error:
        os.write(1, f"child: {type(error).__name__}: {error}\\n".encode())
    os._exit(0)
os.waitpid(pid, 0)
mlflow.log_metric("after", 3.0)
"""
    job = await services.jobs.submit(cell(code, compute="lab2", kernel=HERE), who="tester")
    ended = await ends(services, job)
    text = await text_of(services, job)
    assert ended.status is JobStatus.COMPLETED, (ended, text)
    assert "child: OSError: a process that the job forked cannot log from another machine" in text
    run = await wait_until(lambda: with_status(services, ended.run_id, "FINISHED"), 90, what="the run's end")
    assert {each["key"]: each["value"] for each in run["data"]["metrics"]} == {"before": 1.0, "after": 3.0}


async def test_a_notebook_takes_500_files_along(services: Services, ends: Any, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    for number in range(500):
        (folder / "data" / f"{number}.txt").write_text(f"{number}\n" * 50)
    code = (
        "import os\nnames = os.listdir('data')\n"
        "print(len(names), sum(len(open(f'data/{name}').read().split()) for name in names))"
    )
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code}]
    made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    spec = JobSpec(
        kind=JobKind.NOTEBOOK,
        name="a",
        folder=str(folder),
        path="a.ipynb",
        notebook=services.blobs.put(json.dumps(made).encode()),
        compute="lab2",
        kernel=HERE,
    )
    job = await services.jobs.submit(spec, who="tester")
    ended = await ends(services, job)
    text = await text_of(services, job)
    assert ended.status is JobStatus.COMPLETED, (ended, text)
    assert text == "500 25000\n"
