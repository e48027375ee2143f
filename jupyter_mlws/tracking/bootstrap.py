"""What a job's kernel is handed: sets the environment, and has mlflow log into the job's run by the spool.

This one file is standalone, and so are those that it brings along (see `tracking/handover.py`). Nothing of
mlflow is imported before the user does it.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

PREFIX = "_mlws_tracking_"


def install(handed: dict[str, Any], sink: Any = None) -> None:
    """Set the environment that is handed over, and make mlflow log into its `MLFLOW_RUN_ID`.

    Once, before the user's code. Records go to the attempt's folder, or to `sink` (see spool.py) where that
    is on another machine.
    """
    environment, settings = handed["environment"], handed["settings"]
    files = _Files(handed["sources"])

    def attach() -> None:
        if settings:
            found = sink or _local_sink(files, settings)
            _attach(environment["MLFLOW_TRACKING_URI"], found, files, settings["run"])

    files.module("inside").install(environment, attach)


class _Files:
    """The other files, as modules."""

    def __init__(self, sources: dict[str, tuple[str, str | None]]) -> None:
        """Of each the path, and the text where it may not be on this machine."""
        self._sources = sources

    def module(self, name: str) -> ModuleType:
        """Return a file as a module: that which a fork server has made of it, or a new one."""
        full = PREFIX + name
        if full in sys.modules:
            return sys.modules[full]
        path, text = self._sources[name]
        spec = importlib.util.spec_from_file_location(full, path) if text is None else None
        module = ModuleType(full) if spec is None else importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        try:
            if spec is not None and spec.loader is not None:
                spec.loader.exec_module(module)
            else:
                exec(compile(text or "", f"<{full}>", "exec"), vars(module))  # noqa: S102 - our own
        except BaseException:
            del sys.modules[full]
            raise
        return module


def _local_sink(files: _Files, settings: dict[str, Any]) -> Any:
    spool, run = files.module("spool"), settings["run"]

    def ship() -> None:
        flushing = files.module("flush")
        try:
            flushing.flush(
                settings["folder"], server=settings["server"], job=run["job"], attempt=run["attempt"]
            )
        except flushing.Unreachable as error:
            raise spool.Unreachable(str(error)) from error

    return spool.Spool(settings["folder"], ship=ship, doorbell=settings["doorbell"], name=run["job"])


def _attach(tracking_uri: str, sink: Any, brought: _Files, run: dict[str, Any]) -> None:
    """Put the spooling stores in place of MLflow's own, for the job's tracking server alone."""
    known_runs, stores, artifacts = (
        brought.module("inside_known"),
        brought.module("inside_store"),
        brought.module("inside_artifacts"),
    )
    from mlflow.store.artifact import artifact_repository_registry as of_artifacts
    from mlflow.tracking._model_registry import utils as of_models
    from mlflow.tracking._tracking_service import utils as of_runs

    known = known_runs.Known()
    known.add_job(run)
    runs, files = of_runs._tracking_store_registry, of_artifacts._artifact_repository_registry
    plain_runs, plain_files = runs._registry["http"], files._registry["mlflow-artifacts"]
    plain_models = of_models._get_rest_store
    store = stores.SpoolingStore(
        plain_runs(tracking_uri).get_host_creds,
        sink=sink,
        known=known,
        tools=known_runs,
        experiment=run["experiment"],
    )

    def run_store(store_uri: str, **others: Any) -> Any:
        return store if store_uri == tracking_uri else plain_runs(store_uri, **others)

    def model_store(store_uri: str, **others: Any) -> Any:
        made = plain_models(store_uri, **others)
        if store_uri == tracking_uri:
            made._call_endpoint = stores.flushing(store, made._call_endpoint)
        return made

    def artifact_repository(uri: str, **uris: Any) -> Any:
        if (uris.get("tracking_uri") or of_runs.get_tracking_uri()) != tracking_uri:
            return plain_files(uri, **uris)
        return artifacts.SpoolingArtifacts(uri, store=store, sink=sink, **uris)

    runs.register("http", run_store)
    files.register("mlflow-artifacts", artifact_repository)
    # The registry of registries is made when it is first needed.
    of_models._get_rest_store = model_store
    models: Any = of_models._model_registry_store_registry
    if models is not None:
        models.register("http", model_store)
    _spare_spark(of_models)
    for registry in (runs, models):
        cached = getattr(registry, "_get_store_with_resolved_uri", None)
        if cached is not None:
            cached.cache_clear()


def _spare_spark(of_models: Any) -> None:
    """Keep each client that MLflow makes, two for a metric, from looking for a pyspark on the disk.

    Where the user has not imported it, there is no session that could name a registry of models.
    """
    ask = getattr(of_models, "_get_registry_uri_from_spark_session", None)
    if ask is not None:
        of_models._get_registry_uri_from_spark_session = lambda: ask() if "pyspark" in sys.modules else None
