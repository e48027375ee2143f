"""MLflow's store, in MLflow's own process, with ids that a job has chosen, and writes that may come twice.

A job knows the ids of its runs and models before MLflow is asked: it logs to its folder, and what is there
is shipped later (see tracking/ship.py), once more after a crash in between. So whoever creates a run or a
model may wish for an id, by a tag that is not kept; where the thing is there already it is returned.

Rests on the inside of MLflow 3.17.2: its store takes new ids from `uuid.uuid4`, in its own module.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import sqlalchemy
from mlflow.entities import LifecycleStage
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.tracking import sqlalchemy_store as module
from mlflow.store.tracking.dbmodels import models as untyped
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_MODELS
from mlflow.utils.time import get_current_time_millis

RUN_TAG = "mlws.wished_run_id"
MODEL_TAG = "mlws.wished_model_id"
EXPERIMENT_TAG = "mlws.wished_experiment"
"""Tags of a request to create a run or a model: its id, and the name of the experiment that it is in."""

_ID = re.compile("[0-9a-f]{32}")
_wish: ContextVar[str | None] = ContextVar("mlws_wished_id", default=None)
_models: Any = untyped
_Store: Any = module.SqlAlchemyStore


class _Ids:
    """Stands for the module `uuid` in MLflow's store: `uuid4` gives the id that was wished for."""

    def uuid4(self) -> uuid.UUID:
        wished = _wish.get()
        return uuid.uuid4() if wished is None else uuid.UUID(hex=wished)

    def __getattr__(self, name: str) -> Any:
        return getattr(uuid, name)


def register(registry: Any, scheme: str) -> None:
    """Have `registry`, MLflow's own of stores, make stores of this kind for `scheme`."""
    vars(module)["uuid"] = _Ids()
    registry.register(scheme, lambda store_uri, artifact_uri: ChosenIdsStore(store_uri, artifact_uri))


class ChosenIdsStore(_Store):
    """As MLflow's own, and idempotent where a job's records may be sent twice."""

    bring: Callable[[str], bool] | None = None
    """Has a run that is not there yet shipped, by its id; returns whether there was anything to ship."""

    def _get_run(self, session: Any, run_uuid: str, eager: bool = False) -> Any:
        """Return a run's row; a job's run is there for whoever knows its id, however early he asks."""
        try:
            return super()._get_run(session, run_uuid, eager)
        except MlflowException as error:
            missing = error.error_code == _name(RESOURCE_DOES_NOT_EXIST)
            if not missing or self.bring is None or not self.bring(run_uuid):
                raise
        return super()._get_run(session, run_uuid, eager)

    def create_run(
        self, experiment_id: str, user_id: str, start_time: int, tags: Sequence[Any], run_name: str
    ) -> Any:
        """Create the run, or return the one that has the wished id."""
        wished, experiment, tags = wishes(tags, RUN_TAG)
        if wished is None:
            return super().create_run(experiment_id, user_id, start_time, tags, run_name)
        if (found := self._found(self.get_run, wished)) is not None:
            return found
        there = self._experiment(experiment_id, experiment)
        create = super().create_run
        run = self._created(lambda: create(there, user_id, start_time, tags, run_name), self.get_run, wished)
        if run.info.run_id != wished:
            raise _changed()
        return run if there == experiment_id else self._moved(run, experiment_id)

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Sequence[Any] | None = None,
        params: Sequence[Any] | None = None,
        model_type: str | None = None,
    ) -> Any:
        """Create the model, or return the one that has the wished id."""
        wished, experiment, tags = wishes(tags or [], MODEL_TAG)
        arguments = (name, source_run_id, tags or None, params, model_type)
        if wished is None:
            return super().create_logged_model(experiment_id, *arguments)
        model_id = f"m-{wished}"
        if (found := self._found(self.get_logged_model, model_id)) is not None:
            return found
        there = self._experiment(experiment_id, experiment)
        create = super().create_logged_model
        model = self._created(
            lambda: create(there, *arguments), self.get_logged_model, wished, named=model_id
        )
        if model.model_id != model_id:
            raise _changed()
        return model

    def log_logged_model_params(self, model_id: str, params: Sequence[Any]) -> None:
        """Log those of `params` that the model has not yet."""
        known = self.get_logged_model(model_id).params
        new = [param for param in params if known.get(param.key) != param.value]
        if new:
            super().log_logged_model_params(model_id, new)

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        """Note those of `models` that the run has not yet, at this step."""
        with self.ManagedSessionMaker() as session:
            known = {(each.model_id, each.step) for each in self._get_model_outputs(run_id, session)}
        new = [each for each in models if (each.model_id, each.step) not in known]
        if new:
            super().log_outputs(run_id, new)

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        """Note a model in the run's tag, once."""
        tag = self.get_run(run_id).data.tags.get(MLFLOW_LOGGED_MODELS)
        if tag is None or mlflow_model.get_tags_dict() not in json.loads(tag):
            super().record_logged_model(run_id, mlflow_model)

    def _experiment(self, experiment_id: str, name: str | None) -> str:
        """Return the id of the experiment to use: it is created or restored if `name` is given."""
        if name is None:
            return experiment_id
        found = self.get_experiment_by_name(name) or self._make_experiment(experiment_id, name)
        if found.lifecycle_stage == LifecycleStage.DELETED:
            self.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _make_experiment(self, experiment_id: str, name: str) -> Any:
        now = get_current_time_millis()
        experiment = _models.SqlExperiment(
            experiment_id=int(experiment_id),
            name=name,
            lifecycle_stage=LifecycleStage.ACTIVE,
            artifact_location=self._get_artifact_location(experiment_id),
            creation_time=now,
            last_update_time=now,
        )
        # If another creates it just now, that one is as good.
        with contextlib.suppress(MlflowException), self.ManagedSessionMaker(read_only=False) as session:
            session.add(self._with_workspace_field(experiment))
        found = self.get_experiment_by_name(name)
        if found is None:
            raise MlflowException(f"The experiment {name!r} cannot be created.", INVALID_PARAMETER_VALUE)
        return found

    def _moved(self, run: Any, experiment_id: str) -> Any:
        """Keep the artifacts where the job puts them, though the experiment got another id meanwhile."""
        location = f"{self._get_artifact_location(experiment_id)}/{run.info.run_id}/artifacts"
        with self.ManagedSessionMaker(read_only=False) as session:
            session.execute(
                sqlalchemy.update(_models.SqlRun)
                .where(_models.SqlRun.run_uuid == run.info.run_id)
                .values(artifact_uri=location)
            )
        return self.get_run(run.info.run_id)

    def _found(self, get: Any, id: str) -> Any:
        try:
            return get(id)
        except MlflowException as error:
            if error.error_code != _name(RESOURCE_DOES_NOT_EXIST):
                raise
            return None

    def _created(self, create: Any, get: Any, wished: str, *, named: str | None = None) -> Any:
        with _wishing(wished):
            try:
                return create()
            except MlflowException:
                # Another request may have created it just now.
                found = self._found(get, named or wished)
                if found is None:
                    raise
                return found


def wishes(tags: Sequence[Any], id_tag: str) -> tuple[str | None, str | None, list[Any]]:
    """Return the wished id, the wished experiment, and the tags that are to be kept."""
    given = {tag.key: tag.value for tag in tags}
    wished = given.get(id_tag)
    if wished is not None and _ID.fullmatch(wished) is None:
        raise MlflowException(
            f"The wished id {wished[:100]!r} is not 32 hexadecimal digits.", INVALID_PARAMETER_VALUE
        )
    kept = [tag for tag in tags if tag.key not in (id_tag, EXPERIMENT_TAG)]
    return wished, given.get(EXPERIMENT_TAG), kept


@contextlib.contextmanager
def _wishing(id: str) -> Iterator[None]:
    token = _wish.set(id)
    try:
        yield
    finally:
        _wish.reset(token)


def _name(code: int) -> str:
    from mlflow.protos.databricks_pb2 import ErrorCode

    return str(ErrorCode.Name(code))


def _changed() -> MlflowException:
    return MlflowException("MLflow's store does not take the id that is wished for.", INTERNAL_ERROR)
