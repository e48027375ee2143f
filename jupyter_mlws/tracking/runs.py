"""What MLflow has of the runs of jobs, read over its REST interface; never imports mlflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_mlws.store.run_values import RunValues
from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.limits import metric_from_json
from jupyter_mlws.tracking.rest import Rest, TrackingRefused, TrackingUnavailable

__all__ = ["Runs", "TrackingRefused", "TrackingUnavailable"]


class Runs:
    """The runs of a workspace. What is written to them goes by the spool (tracking/recording.py).

    Every call raises `TrackingUnavailable` when MLflow gives no answer after a few tries (about 2 s when
    it refuses connections), `TrackingRefused` when it answers with an error, and what `address` raises.
    """

    def __init__(self, address: Callable[[], Awaitable[TrackingAddress]]) -> None:
        """`address` is awaited before each request, for a living server: `Runs(tracking_server.ensure)`."""
        self._rest = Rest(address)

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def get(self, run_id: str) -> dict[str, Any]:
        """Return a run as MLflow's REST interface has it, with `info`, `data`, `inputs` and `outputs`."""
        run: dict[str, Any] = (await self._rest.get("runs/get", query={"run_id": run_id}))["run"]
        return run

    async def values(self, run_id: str) -> RunValues:
        """Return the latest value of each metric of a run, None for NaN, and its parameters."""
        data = (await self.get(run_id)).get("data", {})
        metrics = {row["key"]: metric_from_json(row["value"]) for row in data.get("metrics", [])}
        return RunValues(metrics, {row["key"]: row["value"] for row in data.get("params", [])})
