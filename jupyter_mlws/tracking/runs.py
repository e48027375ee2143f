"""The runs of jobs in MLflow, over its REST interface; never imports mlflow."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store.run_values import RunValues
from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.limits import (
    METRICS_A_BATCH,
    PAIRS_A_BATCH,
    batches,
    fitting_params,
    fitting_tags,
    metric_from_json,
    metric_to_json,
)
from jupyter_mlws.tracking.rest import Rest, TrackingRefused, TrackingUnavailable

__all__ = ["RunIdentity", "Runs", "TrackingRefused", "TrackingUnavailable"]

JOB_TAG = "mlws.job"
ATTEMPT_TAG = "mlws.attempt"
LONG_PARAMETERS = "parameters.json"
"""Artifact with all parameters whole, written when one is longer than MLflow takes."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_STATUS = {JobStatus.COMPLETED: "FINISHED", JobStatus.FAILED: "FAILED", JobStatus.CANCELED: "KILLED"}
_PIECE = 2**20


class RunIdentity(NamedTuple):
    """An MLflow run and the experiment that it is in."""

    run_id: str
    experiment_id: str


class Runs:
    """The runs of a workspace.

    Every call raises `TrackingUnavailable` when MLflow gives no answer after a few tries (about 2 s when
    it refuses connections), `TrackingRefused` when it answers with an error, and what `address` raises.
    """

    def __init__(self, address: Callable[[], Awaitable[TrackingAddress]]) -> None:
        """`address` is awaited before each request, for a living server: `Runs(tracking_server.ensure)`."""
        self._rest = Rest(address)
        self._experiments: dict[str, str] = {}
        self._artifact_roots: dict[str, str] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def create_run(
        self,
        *,
        experiment: str,
        name: str,
        job: str,
        attempt: int,
        tags: Mapping[str, str] = _NOTHING,
        params: Mapping[str, object] = _NOTHING,
        started_at: datetime | None = None,
    ) -> RunIdentity:
        """Create the run of a job's attempt, or return the one that was created before.

        The experiment is created if need be. Parameters longer than MLflow takes (6,000 characters) are
        cut there, and all are then written whole to the artifact `parameters.json`.
        """
        experiment_id = await self.experiment(experiment)
        body = {
            "experiment_id": experiment_id,
            "run_name": name,
            "start_time": _milliseconds(started_at),
            "tags": _pairs(fitting_tags({**tags, JOB_TAG: job, ATTEMPT_TAG: str(attempt)})),
        }
        try:
            identity = await self._find_or_create_run(body, job=job, attempt=attempt)
        except TrackingUnavailable:
            # It may have been created all the same: look before the second try.
            identity = await self._find_or_create_run(body, job=job, attempt=attempt)
        # Also for a run that was found: the one who created it may have died before this.
        await self._log_params(identity.run_id, params)
        return identity

    async def find_run(self, *, job: str, attempt: int) -> RunIdentity | None:
        """Return the run of a job's attempt in whatever experiment, or None."""
        return await self._search(await self._all_experiments(), job=job, attempt=attempt)

    async def experiment(self, name: str) -> str:
        """Return the id of the experiment called `name`; it is created, or restored, if need be."""
        if name not in self._experiments:
            self._experiments[name] = await self._find_or_create_experiment(name)
        return self._experiments[name]

    async def log_batch(
        self,
        run_id: str,
        *,
        metrics: Mapping[str, float] = _NOTHING,
        params: Mapping[str, object] = _NOTHING,
        tags: Mapping[str, str] = _NOTHING,
        step: int = 0,
        at: datetime | None = None,
    ) -> None:
        """Log any number of metrics (NaN and infinities too), parameters and tags."""
        moment = _milliseconds(at)
        for measured in batches(metrics, METRICS_A_BATCH):
            rows = [
                {"key": key, "value": metric_to_json(value), "timestamp": moment, "step": step}
                for key, value in measured
            ]
            await self._rest.post("runs/log-batch", body={"run_id": run_id, "metrics": rows})
        for tagged in batches(fitting_tags(tags), PAIRS_A_BATCH):
            await self._rest.post("runs/log-batch", body={"run_id": run_id, "tags": _pairs(dict(tagged))})
        await self._log_params(run_id, params)

    async def set_tags(self, run_id: str, *, tags: Mapping[str, str]) -> None:
        """Set tags of a run; values over 8,000 characters are cut."""
        await self.log_batch(run_id, tags=tags)

    async def finish(self, run_id: str, *, status: JobStatus, at: datetime | None = None) -> None:
        """Set the run's end: Completed becomes FINISHED, Failed FAILED, Canceled KILLED.

        Whatever the job itself said before is overwritten. Runs that the job began under its own and did
        not end, because it was killed, end likewise. Raises `KeyError` when `status` is not terminal.
        """
        end = {"status": _STATUS[status], "end_time": _milliseconds(at)}
        experiment_id = (await self._get_run(run_id))["info"]["experiment_id"]
        unfinished = await self._rest.post(
            "runs/search",
            body={
                "experiment_ids": [experiment_id],
                "filter": f"tags.`mlflow.parentRunId` = '{run_id}' and attributes.status = 'RUNNING'",
                "max_results": 1000,
            },
        )
        children = [run["info"]["run_id"] for run in unfinished.get("runs", [])]
        for each in (*children, run_id):
            await self._rest.post("runs/update", body={"run_id": each, **end})

    async def values(self, run_id: str) -> RunValues:
        """Return the latest value of each metric of a run, None for NaN, and its parameters."""
        data = (await self._get_run(run_id)).get("data", {})
        metrics = {row["key"]: metric_from_json(row["value"]) for row in data.get("metrics", [])}
        return RunValues(metrics, {row["key"]: row["value"] for row in data.get("params", [])})

    async def metrics(self, run_id: str) -> dict[str, float | None]:
        """Return the latest value of each metric of a run; None stands for NaN."""
        data = (await self._get_run(run_id)).get("data", {})
        return {row["key"]: metric_from_json(row["value"]) for row in data.get("metrics", [])}

    async def log_artifact_bytes(self, run_id: str, *, path: str, content: bytes) -> None:
        """Write an artifact of a run. `path` is relative with `/`, such as `code/cell.py`."""
        await self._rest.put_artifact(await self._artifact(run_id, path), content=content)

    async def log_artifact_file(self, run_id: str, *, path: str, file: Path) -> None:
        """Copy the file `file` to the artifact `path` of a run, piece by piece."""

        async def pieces() -> AsyncIterator[bytes]:
            with await asyncio.to_thread(file.open, "rb") as opened:
                while piece := await asyncio.to_thread(opened.read, _PIECE):
                    yield piece

        await self._rest.put_artifact(await self._artifact(run_id, path), content=pieces)

    async def _log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        texts, cut = fitting_params(params)
        for some in batches(texts, PAIRS_A_BATCH):
            await self._rest.post("runs/log-batch", body={"run_id": run_id, "params": _pairs(dict(some))})
        if cut:
            whole = json.dumps(params, indent=1, ensure_ascii=False, default=repr).encode()
            await self.log_artifact_bytes(run_id, path=LONG_PARAMETERS, content=whole)

    async def _find_or_create_run(self, body: Mapping[str, Any], *, job: str, attempt: int) -> RunIdentity:
        found = await self._search([body["experiment_id"]], job=job, attempt=attempt)
        return found or self._noted((await self._rest.post("runs/create", body=body, once=True))["run"])

    async def _find_or_create_experiment(self, name: str) -> str:
        try:
            return await self._experiment_by_name(name)
        except TrackingRefused as refused:
            if refused.reason != "RESOURCE_DOES_NOT_EXIST":
                raise
        try:
            return str((await self._rest.post("experiments/create", body={"name": name}))["experiment_id"])
        except TrackingRefused as refused:
            if refused.reason != "RESOURCE_ALREADY_EXISTS":
                raise
            return await self._experiment_by_name(name)

    async def _experiment_by_name(self, name: str) -> str:
        answer = await self._rest.get("experiments/get-by-name", query={"experiment_name": name})
        found = answer["experiment"]
        experiment_id = str(found["experiment_id"])
        if found.get("lifecycle_stage") == "deleted":
            await self._rest.post("experiments/restore", body={"experiment_id": experiment_id})
        return experiment_id

    async def _all_experiments(self) -> list[str]:
        found: list[str] = []
        token = ""
        while True:
            body = {"max_results": 1000, "view_type": "ALL", "page_token": token}
            answer = await self._rest.post("experiments/search", body=body)
            found += [str(one["experiment_id"]) for one in answer.get("experiments", [])]
            token = answer.get("next_page_token", "")
            if not token:
                return found

    async def _search(self, experiments: list[str], *, job: str, attempt: int) -> RunIdentity | None:
        answer = await self._rest.post(
            "runs/search",
            body={
                "experiment_ids": experiments,
                "filter": f"tags.`{JOB_TAG}` = '{job}' and tags.`{ATTEMPT_TAG}` = '{attempt}'",
                "order_by": ["attributes.start_time ASC"],
                "max_results": 1,
            },
        )
        runs = answer.get("runs", [])
        return self._noted(runs[0]) if runs else None

    async def _get_run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = (await self._rest.get("runs/get", query={"run_id": run_id}))["run"]
        self._noted(run)
        return run

    def _noted(self, run: dict[str, Any]) -> RunIdentity:
        info = run["info"]
        root = str(info["artifact_uri"]).removeprefix("mlflow-artifacts:/")
        self._artifact_roots[info["run_id"]] = root.lstrip("/")
        return RunIdentity(run_id=info["run_id"], experiment_id=info["experiment_id"])

    async def _artifact(self, run_id: str, path: str) -> str:
        if run_id not in self._artifact_roots:
            await self._get_run(run_id)
        return quote(f"{self._artifact_roots[run_id]}/{path}")


def _milliseconds(at: datetime | None) -> int:
    return int((time.time() if at is None else at.timestamp()) * 1000)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
