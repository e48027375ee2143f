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
from jupyter_mlws.tracking.recording import (
    git_tags,
    job_tags,
    record_cell,
    record_inputs,
    record_notebook,
    record_packages,
    record_source,
)
from jupyter_mlws.tracking.runs import RunIdentity, Runs


def job(spec: JobSpec) -> Job:
    return Job(
        id="0123456789abc",
        spec=spec,
        status=JobStatus.RUNNING,
        created_by="ada",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def folder(live: Any, run: RunIdentity) -> Path:
    return Path(live.root) / "mlflow" / "artifacts" / run.experiment_id / run.run_id / "artifacts"


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


async def test_everything_lies_in_the_workspace(live: Any, runs: Runs, new_job: Any, tmp_path: Path) -> None:
    run = await new_job()
    inputs = Inputs(
        blob="1" * 64, size=10, items=[InputItem(name="df", type="DataFrame", size=10, sha256="2" * 64)]
    )
    executed = tmp_path / "executed.ipynb"
    executed.write_text("{}")
    await record_cell(runs, run.run_id, source="x = 'ü'\n")
    script = tmp_path / "script"
    script.write_text("print(1)")
    await record_source(runs, run.run_id, name="../a#b.py", file=script)
    await record_packages(runs, run.run_id, packages=["numpy==2.0", "pandas==3.0"])
    await record_inputs(runs, run.run_id, inputs=inputs)
    await record_notebook(runs, run.run_id, file=executed)
    at = folder(live, run)
    assert (at / "code" / "cell.py").read_text() == "x = 'ü'\n"
    assert (at / "code" / "a_b.py").read_text() == "print(1)"
    assert (at / "environment" / "requirements.txt").read_text() == "numpy==2.0\npandas==3.0\n"
    assert json.loads((at / "inputs.json").read_text())["items"][0]["sha256"] == "2" * 64
    assert (at / "notebook.ipynb").read_text() == "{}"


async def test_a_lone_surrogate_in_the_source_is_no_obstacle(live: Any, runs: Runs, new_job: Any) -> None:
    run = await new_job()
    await record_cell(runs, run.run_id, source="x = '\ud800'")
    assert (folder(live, run) / "code" / "cell.py").read_text() == "x = '?'"
