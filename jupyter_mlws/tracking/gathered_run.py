"""What records make of one run, before it is written: the rows of MLflow's tables, with MLflow's own checks.

Whatever MLflow would refuse, or do otherwise than is done here, raises an exception: then MLflow itself is
asked (tracking/by_mlflow.py). Rests on the inside of MLflow 3.17.2; a test compares the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.protos.service_pb2 import LogBatch, UpdateRun
from mlflow.store.tracking import sqlalchemy_store
from mlflow.utils import validation
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from mlflow.utils.proto_json_utils import parse_dict

from jupyter_mlws.tracking.pieces import Record
from jupyter_mlws.tracking.troubles import NotTogether

_store: Any = sqlalchemy_store
Row = dict[str, Any]
_REQUIRED = {"metrics": ("key", "value", "timestamp"), "params": ("key",), "tags": ("key",)}


class GatheredRun:
    """One run: what it was, and what is to be written."""

    def __init__(self, columns: Mapping[str, Any], *, is_new: bool) -> None:
        """`columns` are those of the table `runs`; of one that is not new the few that matter."""
        self.columns = dict(columns)
        self.is_new = is_new
        self.changed: dict[str, Any] = {}
        """Columns of a run that was there before."""
        self.tags: dict[str, str] = {}
        self.params: dict[str, str] = {}
        self.metrics: dict[tuple[Any, ...], Row] = {}
        """Each once, by all that tells it from others."""
        self.latest: dict[str, Row] = {}
        self.model_metrics: dict[tuple[Any, ...], Row] = {}

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.columns["run_uuid"])

    def change(self, **columns: Any) -> None:
        """Change columns of the run."""
        self.columns.update(columns)
        self.changed.update(columns)

    def log(self, record: Record, *, known_params: Callable[[GatheredRun], Mapping[str, str]]) -> None:
        """Take metrics, parameters and tags; `known_params` are those that the run had before."""
        request = LogBatch()
        for kind, fields in _REQUIRED.items():
            for each in record.get(kind, ()):
                if any(each.get(field) in (None, "") for field in fields):
                    raise NotTogether(f"{kind}: {fields} are required")
        parse_dict({kind: record[kind] for kind in _REQUIRED if kind in record}, request)
        metrics, params, tags = validation._validate_batch_log_data(
            [Metric.from_proto(each) for each in request.metrics],
            [Param.from_proto(each) for each in request.params],
            [RunTag.from_proto(each) for each in request.tags],
        )
        validation._validate_batch_log_limits(metrics, params, tags)
        validation._validate_param_keys_unique(params)
        if params:
            self._add_params(params, known_params(self))
        for metric in metrics:
            self._measure(metric)
        for tag in tags:
            self._set_tag(tag.key, tag.value)

    def update(self, body: Mapping[str, Any]) -> None:
        """Take a change of the run's state, end or name, as `runs/update` does."""
        request = UpdateRun()
        parse_dict(dict(body), request)
        if request.HasField("status"):
            self.change(status=RunStatus.to_string(request.status))
        if request.HasField("end_time"):
            self.change(end_time=request.end_time)
        if request.run_name:
            self._set_tag(MLFLOW_RUN_NAME, request.run_name)

    def _add_params(self, params: list[Any], known: Mapping[str, str]) -> None:
        for param in params:
            before = known.get(param.key, self.params.get(param.key))
            if before is not None and before != param.value:
                raise NotTogether(f"the parameter {param.key} has another value")
            if before is None:
                self.params[param.key] = param.value

    def _set_tag(self, key: str, value: str) -> None:
        if key == MLFLOW_RUN_NAME:
            if not value:
                return  # as MLflow does
            self.change(name=value)
        self.tags[key] = value

    def _measure(self, metric: Any) -> None:
        is_nan, value = sanitized(metric.value)
        row = {
            "key": metric.key,
            "value": value,
            "timestamp": metric.timestamp,
            "step": metric.step,
            "is_nan": is_nan,
            "run_uuid": self.id,
        }
        self.metrics.setdefault(tuple(row.values()), row)
        latest = self.latest.get(metric.key)
        if latest is None or is_later(row, latest):
            self.latest[metric.key] = row
        if metric.model_id is not None:
            self._measure_model(metric, value)

    def _measure_model(self, metric: Any, value: float) -> None:
        row = {
            "model_id": metric.model_id,
            "metric_name": metric.key,
            "metric_timestamp_ms": metric.timestamp,
            "metric_step": metric.step,
            "metric_value": value,
            "experiment_id": self.columns["experiment_id"],
            "run_id": self.id,
            "dataset_uuid": None,
            "dataset_name": metric.dataset_name,
            "dataset_digest": metric.dataset_digest,
        }
        identity = (metric.model_id, metric.key, metric.timestamp, metric.step)
        if self.model_metrics.setdefault(identity, row) != row:
            raise NotTogether(f"the model's metric {metric.key} has two values at once")


def sanitized(value: float) -> tuple[bool, float]:
    """Return whether a metric is NaN, and what MLflow keeps of it."""
    is_nan, kept = _store.SqlAlchemyStore.sanitize_metric_value(None, value)
    return bool(is_nan), float(kept)


def is_later(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the metric in `row` is the latest one, as MLflow has it."""
    return bool(
        (row["step"], row["timestamp"], row["value"]) > (other["step"], other["timestamp"], other["value"])
    )
