"""MLflow's artifacts in a job's kernel: files are copied to the spool, reads flush it first.

This one file is standalone: it runs in the job's kernel, once mlflow is imported (see tracking/inside.py).
"""

from __future__ import annotations

import json
import os
from typing import Any

from mlflow.store.artifact.artifact_repo import verify_artifact_path
from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
from mlflow.utils.uri import validate_path_is_safe

_SERVICE = "/mlflow-artifacts/artifacts/"


class SpoolingArtifacts(MlflowArtifactsRepository):
    """The artifacts of a run or a model on the job's tracking server."""

    def __init__(self, artifact_uri: str, *, store: Any, sink: Any, **uris: Any) -> None:
        """`store` is the spooling store, `uris` are the tracking and the registry URI."""
        super().__init__(artifact_uri, **uris)
        self._spooling = store
        self._sink = sink
        self._root = self.artifact_uri.partition(_SERVICE)[2].strip("/")

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Copy the file to the spool; when this returns it may change or go."""
        verify_artifact_path(artifact_path)
        parts = [*(artifact_path or "").replace(os.sep, "/").split("/"), os.path.basename(local_file)]
        path = validate_path_is_safe("/".join(part for part in parts if part not in ("", ".")))
        record = {"artifact": f"{self._root}/{path}", "file": self._sink.keep(local_file)}
        self._sink.append(json.dumps(record, separators=(",", ":")).encode())

    def list_artifacts(self, path: str | None = None) -> Any:
        """Flush, then ask MLflow's server."""
        self._spooling.flush()
        return super().list_artifacts(path)

    def delete_artifacts(self, artifact_path: str | None = None) -> Any:
        """Flush, then tell MLflow's server."""
        self._spooling.flush()
        return super().delete_artifacts(artifact_path)

    def _download_file(self, remote_file_path: str, local_path: str) -> Any:
        self._spooling.flush()
        return super()._download_file(remote_file_path, local_path)
