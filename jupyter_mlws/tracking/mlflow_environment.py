"""The environment variables of MLflow's server."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from pathlib import Path

from jupyter_mlws.tracking.mlflow_database import ANALYZE_EVERY, URI


def prepare_environment(environment: MutableMapping[str, str], *, folder: Path) -> None:
    """Set what MLflow's server reads of `environment`, which is done before mlflow is imported.

    The `_MLFLOW_SERVER_*` variables are private to MLflow: its own command sets them so
    (mlflow/server/__init__.py, `_run_server`, version 3.17.2).
    """
    # Settings that the user made for clients would change the server, such as MLFLOW_TRACKING_URI.
    for name in [name for name in environment if name.startswith(("MLFLOW_", "_MLFLOW_"))]:
        if not name.startswith("MLFLOW_CRYPTO_"):
            del environment[name]
    environment.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": URI,
            "_MLFLOW_SERVER_REGISTRY_STORE": URI,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": "./artifacts",
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_SERVER_BOOT_ID": secrets.token_hex(16),
            "_MLFLOW_SGI_NAME": "uvicorn",
            "_MLFLOW_IN_JOB_EXECUTOR": "false",
            "MLFLOW_SERVER_ALLOWED_HOSTS": "localhost,localhost:*,127.0.0.1,127.0.0.1:*",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            # Only a new connection of SQLite takes account of newer statistics (see `analyze`).
            "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": str(int(ANALYZE_EVERY)),
            # Uploads pass through here: on the disk of the artifacts, not in a small /tmp.
            "TMPDIR": str(folder / "tmp"),
        }
    )
