"""What a job is handed so that it logs into its run: the contents of an attempt's `tracking.json`."""

from __future__ import annotations

from importlib import resources
from typing import TypedDict

from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.runs import RunIdentity


class Handover(TypedDict):
    """In the job's kernel, `bootstrap` (source text) is exec'd and its `install(environment)` called.

    A kernel that is not Python gets `environment` alone.
    """

    run_id: str | None
    environment: dict[str, str]
    error: str | None
    bootstrap: str | None


def handover(address: TrackingAddress, *, run: RunIdentity) -> Handover:
    """Return what to write to `tracking.json` for a job that logs into `run` at `address`."""
    return Handover(
        run_id=run.run_id,
        environment={
            "MLFLOW_TRACKING_URI": address.url,
            "MLFLOW_TRACKING_TOKEN": address.token,
            "MLFLOW_RUN_ID": run.run_id,
            "MLFLOW_EXPERIMENT_ID": run.experiment_id,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # The address that it prints asks for the token: for browsers there is the one behind Jupyter.
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        },
        error=None,
        bootstrap=resources.files("jupyter_mlws.tracking").joinpath("inside.py").read_text("utf-8"),
    )


def no_handover(error: str | None) -> Handover:
    """Return what to write for a job without a run; `error` says why, None when none is wanted."""
    return Handover(run_id=None, environment={}, error=error, bootstrap=None)
