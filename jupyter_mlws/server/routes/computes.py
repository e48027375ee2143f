"""The noun `compute`."""

from __future__ import annotations

from jupyter_mlws.model.answers import ComputeList
from jupyter_mlws.model.compute import Compute, ComputeCheck, ComputeCreate
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Reply, Route


async def list_computes(call: Call[NoQuery, None]) -> ComputeList:
    """List the computes with what they hold, what is in use, and what was last known of them."""
    return ComputeList(computes=await call.services.computes.list())


async def get(call: Call[NoQuery, None]) -> Compute:
    """Give one compute."""
    return await call.services.computes.get(call.path["name"])


async def create(call: Call[NoQuery, ComputeCreate]) -> Reply:
    """Make a compute, or change the one of that name. The same again changes nothing.

    Its server is looked at first, unless `check` is false. Slots, price and token can be changed at any time;
    type, URL and kernel only while no job runs there (409). The token is never shown.
    """
    made, is_new = await call.services.computes.create(call.path["name"], call.body, who=call.who)
    return Reply(status=201 if is_new else 200, record=made)


async def check(call: Call[NoQuery, None]) -> ComputeCheck:
    """Look whether a job could run there now; what is wrong is in the answer, and kept for the list."""
    return await call.services.computes.check(call.path["name"])


async def delete(call: Call[NoQuery, None]) -> Reply:
    """Delete a compute with its token. Refused (409) while jobs run there or wait for it."""
    await call.services.computes.delete(call.path["name"], who=call.who)
    return Reply(status=204)


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
    Route(
        method="PUT",
        path="/computes/{name}",
        resource="computes",
        summary="Create or change a compute",
        run=create,
        query=NoQuery,
        body=ComputeCreate,
        answer=Compute,
        other_statuses={201: "Made"},
    ),
    Route(
        method="POST",
        path="/computes/{name}/check",
        resource="computes",
        summary="Look whether a compute can be used",
        run=check,
        query=NoQuery,
        answer=ComputeCheck,
    ),
    Route(
        method="DELETE",
        path="/computes/{name}",
        resource="computes",
        summary="Delete a compute",
        run=delete,
        query=NoQuery,
        status=204,
    ),
)
