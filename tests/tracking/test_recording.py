"""What is recorded of a job: in tags, and in artifacts on the disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.model.job import InputItem, Inputs, Job, JobKind, JobSpec, Origin
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.tracking.git import GitState
from jupyter_mlws.tracking.recording import RunRecord, git_tags, job_tags
from tests.mlflow_runs import Runs
from tests.tracking.conftest import begin, ship_all


def job(spec: JobSpec) -> Job:
    return Job(
        id="0123456789abc",
        spec=spec,
        status=JobStatus.RUNNING,
        created_by="ada",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_tags_of_a_cell() -> None:
    spec = JobSpec(kind=JobKind.CELL, name="fit", code="x = 1", origin=Origin(notebook="nb/churn.ipynb"))
    git = GitState(commit="c0ffee", branch="main", dirty=True)
    assert job_tags(job(spec), git=git) == {
        "mlflow.user": "ada",
        "mlflow.source.name": "nb/churn.ipynb",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.source.git.branch": "main",
        "mlws.kind": "cell",
        "mlws.compute": "local",
        "mlws.git.dirty": "true",
    }


def test_tags_of_a_notebook_that_runs_again() -> None:
    spec = JobSpec(
        kind=JobKind.NOTEBOOK, name="churn", notebook="0" * 64, path="churn.ipynb", rerun_of="0123456789abd"
    )
    tags = job_tags(job(spec))
    assert tags["mlflow.source.type"] == "NOTEBOOK"
    assert tags["mlflow.source.name"] == "churn.ipynb"
    assert tags["mlws.rerun_of"] == "0123456789abd"
    assert "mlflow.source.git.commit" not in tags


@pytest.mark.parametrize("state", [None, GitState(commit=None, branch="main", dirty=True)])
def test_no_commit_gives_no_tags(state: GitState | None) -> None:
    assert git_tags(state) == {}


async def test_everything_lies_in_the_workspace(live: Any, tmp_path: Path) -> None:
    job = begin(live, params={"text": "x" * 7000, "short": 1})
    inputs = Inputs(
        blob="1" * 64, size=10, items=[InputItem(name="df", type="DataFrame", size=10, sha256="2" * 64)]
    )
    executed, script = tmp_path / "executed.ipynb", tmp_path / "script"
    executed.write_text("{}")
    script.write_text("print(1)")
    with RunRecord(job.folder, job.identity) as record:
        record.cell("x = 'ü\ud800'\n")
        record.source("../a#b.py", script)
        record.packages(["numpy==2.0", "pandas==3.0"])
        record.inputs(inputs)
        record.notebook(executed)
    ship_all(live, job)
    assert not (job.folder / "refused.jsonl").exists()
    at = live.server.artifacts / job.identity.artifact_root
    assert (at / "code" / "cell.py").read_text() == "x = 'ü?'\n"
    assert (at / "code" / "a_b.py").read_text() == "print(1)"
    assert (at / "environment" / "requirements.txt").read_text() == "numpy==2.0\npandas==3.0\n"
    assert json.loads((at / "inputs.json").read_text())["items"][0]["sha256"] == "2" * 64
    assert (at / "notebook.ipynb").read_text() == "{}"
    assert json.loads((at / "parameters.json").read_text()) == {"text": "x" * 7000, "short": 1}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (JobStatus.COMPLETED, "FINISHED"),
        (JobStatus.FAILED, "FAILED"),
        (JobStatus.CANCELED, "KILLED"),
    ],
)
async def test_a_run_ends_as_its_job_and_what_is_open_under_it(
    status: JobStatus, said: str, live: Any, jobs: Any
) -> None:
    job = begin(live)
    result = jobs.run(
        live,
        job,
        "import mlflow; result['child'] = mlflow.start_run(nested=True).info.run_id; "
        "import os; mlflow.tracking.fluent._active_run_stack.get().clear()",
    )
    at = datetime(2026, 1, 2, tzinfo=UTC)
    with RunRecord(job.folder, job.identity) as record:
        record.end(status=status, at=at)
    assert ship_all(live, job).ended
    client = Runs(live.server.ensure)
    try:
        for run_id in (job.run_id, result["child"]):
            info = (await client.get(run_id))["info"]
            assert (info["status"], info["end_time"]) == (said, int(at.timestamp() * 1000))
    finally:
        await client.close()
