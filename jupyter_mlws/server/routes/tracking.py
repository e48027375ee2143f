"""How MLflow's server stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_mlws.model.workspace import TrackingState
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Route

if TYPE_CHECKING:
    from jupyter_mlws.app import Services


def state_of(services: Services) -> TrackingState:
    """Return how the MLflow server of a workspace stands. Never waits, and starts nothing."""
    if services.tracking is None:
        return TrackingState(status="stopped", error="MLflow is switched off by c.MlwsApp.mlflow.")
    return services.tracking.state()


async def state(call: Call[NoQuery, None]) -> TrackingState:
    """Say how MLflow's server stands. It is started by the first job, or by a look at its pages."""
    return state_of(call.services)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/mlflow",
        resource="mlflow",
        summary="How MLflow's server stands",
        run=state,
        query=NoQuery,
        answer=TrackingState,
    ),
)
