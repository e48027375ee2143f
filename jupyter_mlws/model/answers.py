"""Answers of REST that hold several records, or that belong to no noun of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.compute import Compute
from jupyter_mlws.model.job import Attempt, Name, ResultItem, Sha256
from jupyter_mlws.model.record import Moment, Record
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.model.workspace import Workspace


class WorkspaceList(Record):
    """The workspaces that this server can open, by name."""

    workspaces: list[Workspace]


class ComputeList(Record):
    """The computes of the workspace, by name."""

    computes: list[Compute]


class AttemptList(Record):
    """The attempts of a job, oldest first."""

    attempts: list[Attempt]


class ComparedJob(Record):
    """What a comparison shows of one job."""

    id: str
    name: Name
    experiment: Name
    status: JobStatus
    created_at: Moment
    metrics: dict[str, float | None]
    """Latest values; None stands for NaN."""
    params: dict[str, str]
    """Parameters of the MLflow run: those of the job, and those that its code logged."""


class JobComparison(Record):
    """Jobs side by side, in the order in which they were asked for."""

    jobs: list[ComparedJob]
    metrics: list[str]
    """Names of all metrics, sorted."""
    params: list[str]
    """Names of all parameters, sorted."""


class ResultList(Record):
    """What a job kept, in the order in which its code assigned the names."""

    results: list[ResultItem]


class Experiment(Record):
    """A name that jobs are grouped under."""

    name: Name
    jobs: Annotated[int, Field(ge=0)]
    """Number of its jobs."""
    last: Moment
    """When the newest of them was accepted."""


class ExperimentList(Record):
    """The experiments of the workspace, the one used last first."""

    experiments: list[Experiment]


class BlobStored(Record):
    """Bytes that are on disk now."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    """Bytes."""
