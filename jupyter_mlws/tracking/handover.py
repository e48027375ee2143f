"""What a job is handed so that it logs into its run: the contents of an attempt's `tracking.json`."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypedDict

from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.identity import RunIdentity

_PACKAGE = "jupyter_mlws.tracking"
FILES = (
    "inside",
    "inside_attach",
    "inside_known",
    "inside_store",
    "inside_models",
    "inside_artifacts",
    "spool",
    "flush",
)


class KnownRun(TypedDict):
    """What the job's kernel knows of its run from the start."""

    run_id: str
    experiment_id: str
    experiment: str
    location: str
    job: str
    attempt: int
    name: str
    user: str
    start_time: int
    """Milliseconds since 1970."""
    params: dict[str, str]
    tags: dict[str, str]


class Settings(TypedDict):
    """Where the spool of an attempt is, and whom it is shipped to."""

    folder: str
    server: str
    """The file `server.json`, which has the address of MLflow's server."""
    doorbell: str | None
    """Where whoever ships listens."""
    run: KnownRun


class Handover(TypedDict):
    """In the job's kernel, `bootstrap` (source text) is exec'd and its `install` called with all of this.

    A kernel that is not Python gets `environment` alone.
    """

    run_id: str | None
    environment: dict[str, str]
    error: str | None
    bootstrap: str | None
    settings: Settings | None
    """None: each call goes to MLflow's server."""
    sources: dict[str, tuple[str, str | None]]
    """The files that the bootstrap brings along, by their names: path, and text where that is in no file."""


def handover(address: TrackingAddress, *, run: RunIdentity, settings: Settings | None) -> Handover:
    """Return what to write to `tracking.json` for a job that logs into `run` at `address`.

    Without `settings` nothing is spooled.
    """
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
        bootstrap=_file("bootstrap").read_text("utf-8"),
        settings=settings,
        sources={name: _source(name) for name in FILES},
    )


def no_handover(error: str | None) -> Handover:
    """Return what to write for a job without a run; `error` says why, None when none is wanted."""
    return Handover(run_id=None, environment={}, error=error, bootstrap=None, settings=None, sources={})


def _source(name: str) -> tuple[str, str | None]:
    file = _file(name)
    return (str(file), None) if isinstance(file, Path) else ("", file.read_text("utf-8"))


def _file(name: str) -> Traversable:
    return resources.files(_PACKAGE).joinpath(f"{name}.py")
