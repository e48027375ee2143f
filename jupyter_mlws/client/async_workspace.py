"""A workspace, asynchronously: its jobs, computes and experiments behind one connection."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from jupyter_mlws.client.async_computes import AsyncComputes
from jupyter_mlws.client.async_jobs import AsyncJobs
from jupyter_mlws.client.finder import Finder
from jupyter_mlws.client.places import WorkspaceNameInvalid
from jupyter_mlws.client.transport import Door, segment
from jupyter_mlws.model.answers import Experiment, ExperimentList, WorkspaceList
from jupyter_mlws.model.workspace import ServerStatus, TrackingState, Workspace, WorkspaceCreate


class AsyncWorkspaces:
    """The workspaces that the server can open."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def list(self) -> list[Workspace]:
        """Return them by name; `current` is the one that is open."""
        return (await self._door.get("/workspaces", WorkspaceList)).workspaces

    async def create(self, name: str) -> Workspace:
        """Make a workspace beside the others. Raises `WorkspaceNameInvalid`, or `Conflict` if it exists."""
        try:
            body = WorkspaceCreate(name=name)
        except ValidationError as error:
            raise WorkspaceNameInvalid(
                f"{name[:100]!r} cannot be the name of a workspace.",
                hint="Use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or digit.",
            ) from error
        return await self._door.send("POST", "/workspaces", Workspace, body=body)

    async def use(self, name: str) -> Workspace:
        """Open another workspace in this server, and make it the current one."""
        return await self._door.send("POST", f"/workspaces/{segment(name)}/activate", Workspace)


class AsyncWorkspace:
    """A connection to a workspace. Made by `aconnect`; closed by `close` or at the end of `async with`."""

    def __init__(self, door: Door, status: ServerStatus) -> None:
        self._door = door
        self._opened = status.workspace
        self.jobs = AsyncJobs(
            door, workspace={"id": self._opened.id, "name": self._opened.name, "path": self._opened.path}
        )
        self.computes = AsyncComputes(door)
        self.workspaces = AsyncWorkspaces(door)

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self._opened.name

    @property
    def id(self) -> str:
        """Id of the workspace."""
        return self._opened.id

    @property
    def path(self) -> str:
        """Its folder."""
        return self._opened.path

    @property
    def url(self) -> str:
        """Address of the server, with the base URL and without a slash at the end."""
        return self._door.address.url

    @property
    def server_pid(self) -> int | None:
        """Process of the server, where it was found by its runtime file."""
        return self._door.address.pid

    async def status(self) -> ServerStatus:
        """Return what is behind the server's address now."""
        return await self._door.get("/status", ServerStatus)

    async def mlflow(self) -> TrackingState:
        """Return how MLflow's server stands, and where."""
        return await self._door.get("/mlflow", TrackingState)

    async def experiments(self) -> list[Experiment]:
        """Return the names that jobs are grouped under, the one used last first."""
        return (await self._door.get("/experiments", ExperimentList)).experiments

    async def stop_server(self) -> None:
        """End the server as Jupyter's own shutdown does. Jobs go on."""
        await self._door.shutdown()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._door.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Workspace {self.name!r} at {self.path}>"


def to_stderr(text: str) -> None:
    """Say `text` where it does not mix with output."""
    print(f"mlws: {text}", file=sys.stderr, flush=True)


async def open_workspace(finder: Finder, *, say: Callable[[str], None] = to_stderr) -> AsyncWorkspace:
    """Find the server, or start it, and see that it answers, takes the token and speaks our language."""
    door = Door(finder, say=say)
    try:
        await door.open()
        answer = await door.json("GET", "/status")
        door.server_version = str(answer.get("version")) if isinstance(answer, dict) else None
        return AsyncWorkspace(door, door.read(answer, ServerStatus))
    except BaseException:
        await door.close()
        raise


async def aconnect(
    workspace: str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    start: bool = True,
    say: Callable[[str], None] = to_stderr,
) -> AsyncWorkspace:
    """Return a workspace, asynchronously. See `connect`, whose arguments and errors these are."""
    return await open_workspace(Finder(workspace=workspace, url=url, token=token, start=start), say=say)
