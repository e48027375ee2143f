"""What a job is handed so that it logs into its run: the contents of an attempt's `tracking.json`."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TypedDict

from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.identity import RunIdentity

_PACKAGE = "jupyter_mlws.tracking"
_FILES = (
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
    """In the job's kernel, `bootstrap` (source text) is exec'd and its `install(environment)` called.

    A kernel that is not Python gets `environment` alone.
    """

    run_id: str | None
    environment: dict[str, str]
    error: str | None
    bootstrap: str | None


class Bootstrap:
    """The source text of bootstrap.py with all that it brings along, read once for many jobs."""

    def __init__(self) -> None:
        """Reads the files."""
        sources = {}
        for name in _FILES:
            path, text = _source(name)
            sources[name] = path, base64.b64encode(zlib.compress(text.encode())).decode()
        before, mark, after = _source("bootstrap")[1].partition("PREFIX = ")
        self._before, self._after = before, f"SOURCES = {sources!r}\n{mark}{after}"

    def source(self, settings: Settings | None) -> str:
        """Return the text for a job; without `settings` nothing is spooled."""
        given: Mapping[str, object] = settings or {}
        return f"{self._before}SETTINGS = {dict(given)!r}\n{self._after}"


def handover(
    address: TrackingAddress, *, run: RunIdentity, settings: Settings | None, bootstrap: Bootstrap
) -> Handover:
    """Return what to write to `tracking.json` for a job that logs into `run` at `address`.

    Without `settings` nothing is spooled: each call goes to MLflow's server.
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
        bootstrap=bootstrap.source(settings),
    )


def no_handover(error: str | None) -> Handover:
    """Return what to write for a job without a run; `error` says why, None when none is wanted."""
    return Handover(run_id=None, environment={}, error=error, bootstrap=None)


def _source(name: str) -> tuple[str, str]:
    file = resources.files(_PACKAGE).joinpath(f"{name}.py")
    return str(file) if isinstance(file, Path) else "", file.read_text("utf-8")
