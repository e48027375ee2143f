"""Reads runs as MLflow's REST interface has them, for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from jupyter_mlws.store.run_values import RunValues
from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.limits import metric_from_json


class TrackingRefused(Exception):
    """MLflow's server answered with an error; `reason` is its code."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Runs:
    """The runs of a workspace; `address` is awaited before each request: `Runs(tracking_server.ensure)`."""

    def __init__(self, address: Callable[[], Awaitable[TrackingAddress]]) -> None:
        self._address = address
        self._client = httpx.AsyncClient(timeout=60, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, run_id: str) -> dict[str, Any]:
        """Return a run with `info`, `data`, `inputs` and `outputs`."""
        address = await self._address()
        answer = await self._client.get(
            f"{address.url}/api/2.0/mlflow/runs/get",
            params={"run_id": run_id},
            headers={"Authorization": f"Bearer {address.token}"},
        )
        content = answer.json()
        if answer.is_success:
            return content["run"]
        raise TrackingRefused(content["message"], reason=content["error_code"])

    async def values(self, run_id: str) -> RunValues:
        """Return the latest value of each metric of a run, None for NaN, and its parameters."""
        data = (await self.get(run_id)).get("data", {})
        metrics = {row["key"]: metric_from_json(row["value"]) for row in data.get("metrics", [])}
        return RunValues(metrics, {row["key"]: row["value"] for row in data.get("params", [])})
