"""Logged models in MLflow's tracking store of a job's kernel: a part of tracking/inside_store.py.

This one file is standalone: it runs in the job's kernel, once mlflow is imported (see tracking/inside.py).
"""

from __future__ import annotations

import json
from typing import Any

from mlflow.entities import LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.protos import service_pb2 as api
from mlflow.utils import validation
from mlflow.utils.name_utils import _generate_random_name
from mlflow.utils.proto_json_utils import message_to_json
from mlflow.utils.time import get_current_time_millis

MODEL_TAG = "mlws.wished_model_id"  # as in tracking/chosen_ids.py
_Store: Any = object


class SpoolingModels(_Store):
    """To be put before `SpoolingStore` among the bases of a class."""

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Any = None,
        params: Any = None,
        model_type: str | None = None,
    ) -> Any:
        """Append the creation of a model whose id is chosen here."""
        validation._validate_logged_model_name(name)
        id, now = self._tools.new_id(), get_current_time_millis()
        name, params, given = name or _generate_random_name(), list(params or ()), list(tags or ())
        model_id = f"m-{id}"
        location = f"{self._location(experiment_id)}/models/{model_id}/artifacts"
        body = {
            "experiment_id": experiment_id,
            "name": name,
            "model_type": model_type,
            "source_run_id": source_run_id,
            "params": [{"key": each.key, "value": each.value} for each in params[:100]],
            "tags": self._tools.pairs(
                {
                    **{each.key: each.value for each in given},
                    **self._wishes(MODEL_TAG, id, experiment_id),
                }
            ),
        }
        self._spool(api.CreateLoggedModel, {key: value for key, value in body.items() if value is not None})
        if params[100:]:
            self.log_logged_model_params(model_id, params[100:])
        return self._known.add_model(
            experiment_id=experiment_id,
            model_id=model_id,
            name=name,
            artifact_location=location,
            creation_timestamp=now,
            last_updated_timestamp=now,
            model_type=model_type,
            source_run_id=source_run_id,
            status=LoggedModelStatus.PENDING,
            tags=given,
            params=params,
        )

    def get_logged_model(self, model_id: str, *args: Any, **kwargs: Any) -> Any:
        """Return a model, as `get_run` does a run."""
        model = self._known.models.get(model_id)
        if model is not None and self._tools.asked_by_mlflow("get_logged_model"):
            return model
        try:
            return super().get_logged_model(model_id, *args, **kwargs)
        except MlflowException as error:
            if model is None or not self._tools.is_away(error):
                raise
            return model

    def finalize_logged_model(self, model_id: str, status: Any) -> Any:
        """Append a model's state."""
        model = self._known.models.get(model_id)
        if model is None:
            return self._pass("finalize_logged_model", model_id, status)
        request = api.FinalizeLoggedModel(model_id=model_id, status=status.to_proto())
        self._spool(api.FinalizeLoggedModel, json.loads(message_to_json(request)), f"/{model_id}")
        model.status = status
        return model

    def set_logged_model_tags(self, model_id: str, tags: Any) -> None:
        """Append tags of a model."""
        super().set_logged_model_tags(model_id, tags)
        model = self._known.models.get(model_id)
        if model is not None:
            model.tags.update((each.key, each.value) for each in tags)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Append the removal of a model's tag, where it is known to be there."""
        model = self._known.models.get(model_id)
        if model is None or model.tags.pop(key, None) is None:
            self._pass("delete_logged_model_tag", model_id, key)
        else:
            super().delete_logged_model_tag(model_id, key)
