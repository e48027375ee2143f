"""MLflow's tracking store in a job's kernel: writes go to the spool at once, reads flush it first.

This one file is standalone: it runs in the job's kernel, once mlflow is imported (see tracking/inside.py).
Standard library and mlflow alone. What is written is checked here, as MLflow's server would: a wrong name
or a parameter of another value is an error at the user's call. Of the runs that this process knows, MLflow's
own functions get what is known (a metric must not wait for a server); who asks himself, by `get_run` and
the like, gets the truth, and while MLflow's server is away what is known.
"""

from __future__ import annotations

import json
import operator
from typing import Any

from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.protos import service_pb2 as api
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.rest_store import RestStore
from mlflow.utils import validation
from mlflow.utils.name_utils import _generate_random_name

RUN_TAG = "mlws.wished_run_id"  # as in tracking/chosen_ids.py
EXPERIMENT_TAG = "mlws.wished_experiment"
_PARENT_TAG = "mlflow.parentRunId"
_SPOOLED: frozenset[Any] = frozenset(
    getattr(api, name)
    for name in (
        "CreateLoggedModel",
        "CreateRun",
        "DeleteLoggedModelTag",
        "DeleteTag",
        "FinalizeLoggedModel",
        "LogInputs",
        "LogLoggedModelParamsRequest",
        "LogModel",
        "LogOutputs",
        "SetExperimentTag",
        "SetLoggedModelTags",
        "UpdateRun",
    )
)
"""Requests of which nobody needs the answer, or whose answer is known."""
_URGENT = frozenset({api.CreateRun, api.CreateLoggedModel})
_METRIC = '{"run":"%s","metrics":[{"key":%s,"value":%s,"timestamp":%d,"step":%d}]}'


class SpoolingStore(RestStore):
    """The store of the job's tracking server."""

    def __init__(self, get_host_creds: Any, *, sink: Any, known: Any, tools: Any, experiment: str) -> None:
        """`tools` is the module `inside_known`; `experiment` the name of the job's own experiment."""
        super().__init__(get_host_creds)
        self._sink = sink
        self._known = known
        self._tools = tools
        self._experiment = experiment

    def flush(self) -> None:
        """Return when MLflow has all that was logged. Raises MlflowException."""
        try:
            self._sink.flush()
        except Exception as error:
            raise MlflowException(
                f"MLflow's server does not answer ({error}); what was logged is kept and gets there later.",
                TEMPORARILY_UNAVAILABLE,
            ) from error

    # --- values ------------------------------------------------------------------------------------------

    def log_metric(self, run_id: str, metric: Any) -> None:
        """Append a metric; the path on which training loops go."""
        run = self._run(run_id)
        key, value, timestamp, step = metric.key, metric.value, metric.timestamp, metric.step
        validation._validate_metric(key, value, timestamp, step)
        if metric.model_id is not None or metric.dataset_name is not None:
            return self._append({"run": run_id, "metrics": [_metric(metric)]})
        number, at = float(value), operator.index(step)
        text = repr(number) if abs(number) < float("inf") else json.dumps(_value(number))
        self._sink.append((_METRIC % (run_id, json.dumps(key), text, timestamp, at)).encode())
        if run is not None:
            with self._known.lock:
                run.measure(metric)

    def log_param(self, run_id: str, param: Any) -> None:
        """Append a parameter."""
        self.log_batch(run_id, metrics=[], params=[param], tags=[])

    def set_tag(self, run_id: str, tag: Any) -> None:
        """Append a tag."""
        self.log_batch(run_id, metrics=[], params=[], tags=[tag])

    def log_batch(self, run_id: str, metrics: Any, params: Any, tags: Any) -> None:
        """Append metrics, parameters and tags."""
        metrics, params, tags = validation._validate_batch_log_data(metrics, params, tags)
        validation._validate_batch_log_limits(metrics, params, tags)
        validation._validate_param_keys_unique(params)
        run = self._run(run_id)
        record = {
            "run": run_id,
            "metrics": [_metric(each) for each in metrics],
            "params": [{"key": each.key, "value": each.value} for each in params],
            "tags": [{"key": each.key, "value": each.value} for each in tags],
        }
        with self._known.lock:
            if run is not None:
                run.refuse_conflicts(params)
            self._append({key: value for key, value in record.items() if value})
            if run is not None:
                run.params.update((each.key, each.value) for each in params)
                for tag in tags:
                    run.set_tag(tag.key, tag.value)
                for metric in metrics:
                    run.measure(metric)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Append the removal of a tag, where it is known to be there."""
        run = self._known.runs.get(run_id)
        if run is None or run.tags.pop(key, None) is None:
            self._pass("delete_tag", run_id, key)
        else:
            super().delete_tag(run_id, key)

    # --- runs --------------------------------------------------------------------------------------------

    def create_run(self, experiment_id: str, user_id: str, start_time: int, tags: Any, run_name: str) -> Any:
        """Append the creation of a run whose id is chosen here."""
        experiment_id = str(experiment_id)
        given = {each.key: validation._validate_tag(each.key, each.value).value for each in tags}
        named = given.get(self._tools.RUN_NAME)
        if run_name and named and run_name != named:
            raise MlflowException(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
                f"different values (run_name='{run_name}', mlflow.runName='{named}').",
                INVALID_PARAMETER_VALUE,
            )
        name = run_name or named or _generate_random_name()
        run_id = self._tools.new_id()
        run = self._tools.KnownRun(
            run_id,
            experiment_id=experiment_id,
            name=name,
            user=user_id,
            start_time=start_time,
            artifact_uri=f"{self._location(experiment_id)}/{run_id}/artifacts",
        )
        run.tags.update(given)
        run.tags[self._tools.RUN_NAME] = name
        wishes = {**run.tags, **self._wishes(RUN_TAG, run_id, experiment_id)}
        body = {
            "experiment_id": experiment_id,
            "user_id": user_id,
            "start_time": start_time,
            "run_name": name,
            "tags": self._tools.pairs(wishes),
        }
        self._spool(api.CreateRun, body)
        self._known.runs[run_id] = run
        return run.run()

    def get_run(self, run_id: str) -> Any:
        """Return a run: for MLflow's own functions as it is known here, for users as it is."""
        run = self._known.runs.get(run_id)
        if run is not None and self._tools.asked_by_mlflow("get_run"):
            return run.run()
        try:
            found = super().get_run(run_id)
        except MlflowException as error:
            if run is None or not self._tools.is_away(error):
                raise
            return run.run()
        if run is None:
            self._known.runs[run_id] = self._tools.KnownRun.of(found)
        return found

    def get_metric_history(self, run_id: str, metric_key: str, *args: Any, **kwargs: Any) -> Any:
        """Return all values of a metric, as `get_run` does a run."""
        run = self._known.runs.get(run_id)
        if run is not None and run.history is not None and self._tools.asked_by_mlflow("get_metric_history"):
            return PagedList(list(run.history.get(metric_key, ())), None)
        return super().get_metric_history(run_id, metric_key, *args, **kwargs)

    def update_run_info(
        self, run_id: str, run_status: Any, end_time: int | None, run_name: str | None
    ) -> Any:
        """Append a change of a run's state or name."""
        run = self._run(run_id)
        if run is None:
            return self._pass("update_run_info", run_id, run_status, end_time, run_name)
        status = None if run_status is None else RunStatus.to_string(run_status)
        if status in (None, run.status) and end_time == run.end_time and run_name in (None, run.name):
            return run.info()
        body = {"run_id": run_id, "status": status, "end_time": end_time, "run_name": run_name}
        self._spool(api.UpdateRun, {key: value for key, value in body.items() if value is not None})
        run.status, run.end_time = status or run.status, end_time
        if run_name:
            run.set_tag(self._tools.RUN_NAME, run_name)
        return run.info()

    def log_inputs(self, run_id: str, datasets: Any = None, models: Any = None) -> None:
        """Append the datasets and models that a run takes."""
        if datasets is not None:
            validation._validate_dataset_inputs(datasets)
        run = self._run(run_id)
        super().log_inputs(run_id, datasets, models)
        if run is not None:
            run.datasets += datasets or ()
            run.models_in += models or ()

    def log_outputs(self, run_id: str, models: Any) -> None:
        """Append the models that a run gives."""
        run = self._run(run_id)
        super().log_outputs(run_id, models)
        if run is not None:
            run.models_out += models

    # --- experiments -------------------------------------------------------------------------------------

    def get_experiment(self, experiment_id: str) -> Any:
        """Return an experiment, as `get_run` does a run."""
        known = self._known.experiments.get(str(experiment_id))
        if known is not None and self._tools.asked_by_mlflow("get_experiment"):
            return known
        try:
            return self._noted(super().get_experiment(experiment_id))
        except MlflowException as error:
            if known is None or not self._tools.is_away(error):
                raise
            return known

    def get_experiment_by_name(self, experiment_name: str) -> Any:
        """Return an experiment, and note where it keeps artifacts."""
        return self._noted(super().get_experiment_by_name(experiment_name))

    def _noted(self, experiment: Any) -> Any:
        if experiment is not None and experiment.lifecycle_stage == "active":
            self._known.experiments[experiment.experiment_id] = experiment
        return experiment

    def _location(self, experiment_id: str) -> str:
        experiment = self._known.experiments.get(experiment_id) or self.get_experiment(experiment_id)
        if experiment.lifecycle_stage != "active":
            raise MlflowException(
                f"The experiment {experiment_id} must be in the 'active' state. "
                f"Current state is {experiment.lifecycle_stage}.",
                INVALID_PARAMETER_VALUE,
            )
        return str(experiment.artifact_location).rstrip("/")

    def _wishes(self, tag: str, id: str, experiment_id: str) -> dict[str, str]:
        # The job's own experiment may not be there yet: whoever comes first creates it.
        own = self._known.runs[self._known.job].experiment_id == experiment_id
        return {tag: id, **({EXPERIMENT_TAG: self._experiment} if own else {})}

    # --- the way there -----------------------------------------------------------------------------------

    def _run(self, run_id: str) -> Any:
        """Return the run to write to; one that this process does not know is looked for first."""
        run = self._known.runs.get(run_id)
        if run is None:
            validation._validate_run_id(run_id)
            try:
                self.get_run(run_id)
            except MlflowException as error:
                if not self._tools.is_away(error):
                    raise
            run = self._known.runs.get(run_id)
        return run

    def _append(self, record: dict[str, Any], *, urgent: bool = False) -> None:
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
        self._sink.append(line.encode(), urgent=urgent)

    def _spool(self, request: Any, body: dict[str, Any], below: str = "") -> None:
        endpoint, method = self._METHOD_TO_INFO[request]
        if below:
            endpoint = "/api/2.0/mlflow/logged-models" + below
        self._append({"method": method, "path": endpoint, "body": body}, urgent=request in _URGENT)

    def _call_endpoint(
        self,
        api: Any,
        json_body: Any = None,
        endpoint: Any = None,
        retry_timeout_seconds: Any = None,
        response_proto: Any = None,
    ) -> Any:
        if api in _SPOOLED:
            known, method = self._METHOD_TO_INFO[api]
            body = None if json_body is None else json.loads(json_body)
            self._append({"method": method, "path": endpoint or known, "body": body})
            return api.Response()
        self.flush()
        return super()._call_endpoint(api, json_body, endpoint, retry_timeout_seconds, response_proto)

    def _pass(self, name: str, *arguments: Any) -> Any:
        """Call a method of MLflow's own store, and have it answered by the server."""
        self.flush()
        plain = RestStore(self.get_host_creds)
        return getattr(plain, name)(*arguments)


def flushing(store: Any, call: Any) -> Any:
    """Return `call` as a function that flushes first; for the registry of models."""

    def flushed(*args: Any, **kwargs: Any) -> Any:
        store.flush()
        return call(*args, **kwargs)

    return flushed


def _metric(metric: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "key": metric.key,
        "value": _value(float(metric.value)),
        "timestamp": operator.index(metric.timestamp),
        "step": operator.index(metric.step),
    }
    for field in ("model_id", "dataset_name", "dataset_digest"):
        if getattr(metric, field, None) is not None:
            record[field] = getattr(metric, field)
    return record


def _value(number: float) -> Any:
    if number != number:
        return "NaN"
    if abs(number) == float("inf"):
        return "Infinity" if number > 0 else "-Infinity"
    return number
