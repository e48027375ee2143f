"""The noun `workspace`."""

from __future__ import annotations

from jupyter_mlws.model.answers import WorkspaceList
from jupyter_mlws.model.workspace import Workspace, WorkspaceCreate
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Route


async def list_workspaces(call: Call[NoQuery, None]) -> WorkspaceList:
    """List the workspaces of this user."""
    return WorkspaceList(workspaces=await call.doors.workspaces.list())


async def create(call: Call[NoQuery, WorkspaceCreate]) -> Workspace:
    """Make a workspace beside the others. It is not opened."""
    return await call.doors.workspaces.create(call.body.name, who=call.who)


async def activate(call: Call[NoQuery, None]) -> Workspace:
    """Open another workspace here; the jobs of the one that was open run on."""
    return await call.doors.workspaces.activate(call.path["name"], who=call.who)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/workspaces",
        resource="workspaces",
        summary="List the workspaces",
        run=list_workspaces,
        query=NoQuery,
        answer=WorkspaceList,
        needs_workspace=False,
    ),
    Route(
        method="POST",
        path="/workspaces",
        resource="workspaces",
        summary="Create a workspace",
        run=create,
        query=NoQuery,
        body=WorkspaceCreate,
        answer=Workspace,
        status=201,
        needs_workspace=False,
    ),
    Route(
        method="POST",
        path="/workspaces/{name}/activate",
        resource="workspaces",
        summary="Open another workspace in this server",
        run=activate,
        query=NoQuery,
        answer=Workspace,
        needs_workspace=False,
    ),
)
