"""The noun `compute`."""

from __future__ import annotations

from jupyter_mlws.model.answers import ComputeList
from jupyter_mlws.model.compute import Compute
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Route


async def list_computes(call: Call[NoQuery, None]) -> ComputeList:
    """List the computes with what they hold and what is in use."""
    return ComputeList(computes=await call.services.computes.list())


async def get(call: Call[NoQuery, None]) -> Compute:
    """Give one compute."""
    return await call.services.computes.get(call.path["name"])


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/computes",
        resource="computes",
        summary="List the computes",
        run=list_computes,
        query=NoQuery,
        answer=ComputeList,
    ),
    Route(
        method="GET",
        path="/computes/{name}",
        resource="computes",
        summary="Get a compute",
        run=get,
        query=NoQuery,
        answer=Compute,
    ),
)
