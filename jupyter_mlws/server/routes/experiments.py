"""The noun `experiment`."""

from __future__ import annotations

from jupyter_mlws.model.answers import Experiment, ExperimentList
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Route
from jupyter_mlws.store.experiments import experiments


async def list_experiments(call: Call[NoQuery, None]) -> ExperimentList:
    """List the names that jobs are grouped under."""
    found = await call.services.records.read(experiments)
    return ExperimentList(experiments=[Experiment(**each._asdict()) for each in found])


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/experiments",
        resource="experiments",
        summary="List the experiments",
        run=list_experiments,
        query=NoQuery,
        answer=ExperimentList,
    ),
)
