"""Puts the spool of a job between mlflow and its server, once mlflow is imported in the job's kernel.

This one file is standalone: see tracking/bootstrap.py, which brings it along.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def attach(
    tracking_uri: str, settings: dict[str, Any], *, sink: Any, module: Callable[[str], ModuleType]
) -> None:
    """Put the spooling stores in place of MLflow's own, for the job's tracking server alone.

    `settings` are those of handover.Settings; records go to the attempt's folder, or to `sink` (see spool.py)
    where that is on another machine. `module` gives the other files that are brought along.
    """
    names = ("inside_known", "inside_store", "inside_models", "inside_artifacts")
    known_runs, stores, of_logged_models, artifacts = (module(name) for name in names)
    kinds: tuple[Any, ...] = (of_logged_models.SpoolingModels, stores.SpoolingStore)
    spooling: Any = type("SpoolingStore", kinds, {})
    sink = sink or _local_sink(settings, module)
    from mlflow.store.artifact import artifact_repository_registry as of_artifacts
    from mlflow.tracking._model_registry import utils as of_models
    from mlflow.tracking._tracking_service import utils as of_runs

    known = known_runs.Known()
    known.add_job(settings["run"])
    runs, files = of_runs._tracking_store_registry, of_artifacts._artifact_repository_registry
    plain_runs, plain_files = runs._registry["http"], files._registry["mlflow-artifacts"]
    plain_models = of_models._get_rest_store
    store = spooling(
        plain_runs(tracking_uri).get_host_creds,
        sink=sink,
        known=known,
        tools=known_runs,
        experiment=settings["run"]["experiment"],
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


def _local_sink(settings: dict[str, Any], module: Callable[[str], ModuleType]) -> Any:
    spool = module("spool")

    def ship() -> None:
        flushing = module("flush")
        try:
            flushing.flush(
                settings["folder"],
                server=settings["server"],
                job=settings["run"]["job"],
                attempt=settings["run"]["attempt"],
            )
        except flushing.Unreachable as error:
            raise spool.Unreachable(str(error)) from error

    return spool.Spool(
        settings["folder"], ship=ship, doorbell=settings["doorbell"], name=settings["run"]["job"]
    )


def _spare_spark(of_models: Any) -> None:
    """Keep each client that MLflow makes, two for a metric, from looking for a pyspark on the disk.

    Where the user has not imported it, there is no session that could name a registry of models.
    """
    ask = getattr(of_models, "_get_registry_uri_from_spark_session", None)
    if ask is not None:
        of_models._get_registry_uri_from_spark_session = lambda: ask() if "pyspark" in sys.modules else None
