"""The runs and models that a job's kernel has made or written to, as far as it knows them itself.

Also who is to be answered from that: MLflow's own functions, and everybody while its server is away.

This one file is standalone: it runs in the job's kernel, once mlflow is imported (see tracking/inside.py).
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from typing import Any

from mlflow.entities import (
    Experiment,
    LoggedModel,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

RUN_NAME = "mlflow.runName"
_MOST = 10_000
"""Metrics whose history is kept for MLflow's own functions; of longer ones its server is asked."""


class KnownRun:
    """One run: what was logged to it from here, and what was known of it before."""

    def __init__(
        self, run_id: str, *, experiment_id: str, name: str, user: str, start_time: int, artifact_uri: str
    ) -> None:
        """`start_time` is in milliseconds since 1970."""
        self.run_id = run_id
        self.experiment_id = experiment_id
        self.name = name
        self.status = "RUNNING"
        self.end_time: int | None = None
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.metrics: dict[str, Any] = {}
        self.history: dict[str, list[Any]] | None = {}
        """All metrics by their names; None where only MLflow's server knows them all."""
        self._measured = 0
        self.datasets: list[Any] = []
        self.models_in: list[Any] = []
        self.models_out: list[Any] = []
        self._user = user
        self._start_time = start_time
        self._artifact_uri = artifact_uri

    @classmethod
    def of(cls, run: Any) -> KnownRun:
        """Return what MLflow's server says of a run."""
        info = run.info
        known = cls(
            info.run_id,
            experiment_id=info.experiment_id,
            name=info.run_name,
            user=info.user_id,
            start_time=info.start_time,
            artifact_uri=info.artifact_uri,
        )
        known.history = None
        known.status, known.end_time = info.status, info.end_time
        known.params.update(run.data.params)
        known.tags.update(run.data.tags)
        known.metrics.update((each.key, each) for each in run.data._metric_objs)
        if run.inputs:
            known.datasets += run.inputs.dataset_inputs
            known.models_in += run.inputs.model_inputs
        if run.outputs:
            known.models_out += run.outputs.model_outputs
        return known

    def info(self) -> Any:
        """Return MLflow's record of the run."""
        return RunInfo(
            run_id=self.run_id,
            experiment_id=self.experiment_id,
            user_id=self._user,
            status=self.status,
            start_time=self._start_time,
            end_time=self.end_time,
            lifecycle_stage="active",
            artifact_uri=self._artifact_uri,
            run_name=self.name,
        )

    def run(self) -> Any:
        """Return the run as MLflow's client does."""
        data = RunData(
            metrics=list(self.metrics.values()),
            params=[Param(key, value) for key, value in self.params.items()],
            tags=[RunTag(key, value) for key, value in self.tags.items()],
        )
        inputs = RunInputs(dataset_inputs=list(self.datasets), model_inputs=list(self.models_in))
        return Run(self.info(), data, inputs, RunOutputs(model_outputs=list(self.models_out)))

    def measure(self, metric: Any) -> None:
        """Take account of a metric: the one of the largest step counts, of these the latest."""
        known = self.metrics.get(metric.key)
        if known is None or (metric.step, metric.timestamp, metric.value) >= (
            known.step,
            known.timestamp,
            known.value,
        ):
            self.metrics[metric.key] = metric
        if self.history is not None:
            self._measured += 1
            if self._measured > _MOST:
                self.history = None
            else:
                self.history.setdefault(metric.key, []).append(metric)

    def set_tag(self, key: str, value: str) -> None:
        """Take account of a tag."""
        self.tags[key] = value
        if key == RUN_NAME:
            self.name = value

    def refuse_conflicts(self, params: Any) -> None:
        """Raise what MLflow raises for parameters that the run has with other values."""
        conflicts = [
            {"key": each.key, "old_value": self.params[each.key], "new_value": each.value}
            for each in params
            if self.params.get(each.key, each.value) != each.value
        ]
        if conflicts:
            raise MlflowException(
                "Changing param values is not allowed. Params were already "
                f"logged='{conflicts}' for run ID='{self.run_id}'.",
                INVALID_PARAMETER_VALUE,
            )


class Known:
    """All that this process knows."""

    def __init__(self) -> None:
        self.job = ""
        """Id of the job's own run."""
        self.runs: dict[str, KnownRun] = {}
        self.models: dict[str, Any] = {}
        self.experiments: dict[str, Any] = {}
        self.lock = threading.Lock()
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self.lock = threading.Lock()

    def add_job(self, given: dict[str, Any]) -> None:
        """Take over what the server knows of the job's own run."""
        run = KnownRun(
            given["run_id"],
            experiment_id=given["experiment_id"],
            name=given["name"],
            user=given["user"],
            start_time=given["start_time"],
            artifact_uri=f"{given['location']}/{given['run_id']}/artifacts",
        )
        run.params.update(given["params"])
        run.tags.update(given["tags"])
        run.tags[RUN_NAME] = given["name"]
        self.experiments[given["experiment_id"]] = Experiment(
            given["experiment_id"], given["experiment"], given["location"], "active"
        )
        self.runs[run.run_id] = run
        self.job = run.run_id

    def add_model(self, **fields: Any) -> Any:
        """Take account of a model that is created; returns it as MLflow's client does."""
        model = LoggedModel(**fields)
        self.models[model.model_id] = model
        return model


def new_id() -> str:
    """Return a new id for a run or a model."""
    return uuid.uuid4().hex


def asked_by_mlflow(name: str) -> bool:
    """Whether a function of MLflow's asks for its own sake, not `mlflow.<name>` or a client for the user."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(("mlflow.", "_mlws")):
            return False
        if frame.f_code.co_name not in (name, "wrapper"):
            return True
        frame = frame.f_back
    return False


def is_away(error: Any) -> bool:
    """Whether MLflow's server gave no answer."""
    said = str(error)
    return error.error_code == "TEMPORARILY_UNAVAILABLE" or (
        "API request to" in said and ("failed with exception" in said or "timeout exception" in said)
    )


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    """Return `values` as MLflow's requests have them."""
    return [{"key": key, "value": value} for key, value in values.items()]
