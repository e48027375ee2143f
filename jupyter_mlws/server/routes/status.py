"""What is behind this address, and the description of its routes."""

from __future__ import annotations

from jupyter_mlws.model.workspace import ServerStatus
from jupyter_mlws.server.route import AnyRoute, Call, JsonReply, NoQuery, Route
from jupyter_mlws.server.routes.tracking import state_of


async def status(call: Call[NoQuery, None]) -> ServerStatus:
    """Say which workspace is open here, and how it stands."""
    services = call.services
    return ServerStatus(
        version=call.doors.version,
        workspace=services.workspace,
        leader=services.leader,
        headless=call.doors.headless,
        user=call.who,
        tracking=state_of(services),
        jobs=await services.jobs.counts(),
    )


async def openapi(call: Call[NoQuery, None]) -> JsonReply:
    """Give the OpenAPI document."""
    return JsonReply(pieces=((await call.doors.openapi()).encode(),))


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/status",
        resource="workspaces",
        summary="Which workspace is open here, and how it stands",
        run=status,
        query=NoQuery,
        answer=ServerStatus,
    ),
    Route(
        method="GET",
        path="/openapi.json",
        resource="workspaces",
        summary="This document",
        run=openapi,
        query=NoQuery,
        media="application/json",
        needs_workspace=False,
    ),
)
