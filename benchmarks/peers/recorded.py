"""Whether a job is all in MLflow, as MLflow's own client sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient

from jupyter_mlws.model.job import Job
from jupyter_mlws.tracking.address import read_record
from jupyter_mlws.tracking.recording import CELL, JOB_TAG, NOTEBOOK, PACKAGES

_COMMIT_TAG = "mlflow.source.git.commit"
_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlws.kind", "mlws.compute")
OF_NOTEBOOK = (NOTEBOOK, PACKAGES)
OF_CELL = (CELL, *OF_NOTEBOOK)
"""Artifacts that the run of every such job has."""


def client(workspace: Path) -> MlflowClient:
    """Return MLflow's client of the server of the workspace in this folder, which has run before."""
    record = read_record(workspace / "mlflow" / "server.json")
    if record is None:
        raise RuntimeError(f"MLflow's server has never run for {workspace}")
    os.environ["MLFLOW_TRACKING_TOKEN"] = record.token
    return MlflowClient(tracking_uri=record.address.url)


def check(mlflow: MlflowClient, job: Job, *, artifacts: tuple[str, ...], commit: str | None = None) -> None:
    """See that the run of a completed job is finished, with its tags and artifacts.

    `commit`: what git says of the folder it ran in, None for one that is in no repository of ours.
    Raises `RuntimeError` that says what is missing.
    """
    if job.run_id is None:
        raise RuntimeError(f"the job {job.id} has no run")
    run = mlflow.get_run(job.run_id)
    tags = run.data.tags
    there = set(_artifacts(mlflow, job.run_id, None))
    wrong = [f"no {each}" for each in artifacts if each not in there]
    if run.info.status != "FINISHED" or not run.info.end_time:
        wrong.append(f"it is {run.info.status}, ended at {run.info.end_time}")
    if tags.get(JOB_TAG) != job.id:
        wrong.append(f"its job is {tags.get(JOB_TAG)}")
    if commit is not None and tags.get(_COMMIT_TAG) != commit:
        wrong.append(f"its commit is {tags.get(_COMMIT_TAG)}, not {commit}")
    wrong += [f"no tag {name}" for name in _TAGS if not tags.get(name)]
    if wrong:
        raise RuntimeError(f"the run {job.run_id} of {job.id} is not complete: {'; '.join(wrong)}")


def steps(mlflow: MlflowClient, run_id: str, metric: str) -> int:
    """Return how many different steps of a metric a run has."""
    return len({each.step for each in mlflow.get_metric_history(run_id, metric)})


def _artifacts(mlflow: MlflowClient, run_id: str, folder: str | None) -> Iterator[str]:
    for each in mlflow.list_artifacts(run_id, folder):
        if each.is_dir:
            yield from _artifacts(mlflow, run_id, each.path)
        else:
            yield each.path
