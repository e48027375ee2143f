"""A workspace, as a notebook or a script holds it, and the way to it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from jupyter_mlws.client.async_workspace import (
    AsyncWorkspace,
    AsyncWorkspaces,
    open_workspace,
    to_stderr,
)
from jupyter_mlws.client.computes import Computes
from jupyter_mlws.client.event_loop import EventLoop
from jupyter_mlws.client.finder import Finder
from jupyter_mlws.client.job import Job
from jupyter_mlws.client.jobs import Jobs
from jupyter_mlws.model import workspace as records
from jupyter_mlws.model.answers import Experiment


class Workspaces:
    """The workspaces that the server can open."""

    def __init__(self, workspaces: AsyncWorkspaces, loop: EventLoop) -> None:
        self._workspaces = workspaces
        self._loop = loop

    def list(self) -> list[records.Workspace]:
        """Return them by name; `current` is the one that is open."""
        return self._loop.run(self._workspaces.list())

    def create(self, name: str) -> records.Workspace:
        """Make a workspace beside the others. Raises `WorkspaceNameInvalid`, or `Conflict` if it exists."""
        return self._loop.run(self._workspaces.create(name))

    def use(self, name: str) -> records.Workspace:
        """Open another workspace in this server, and make it the current one; jobs of the other go on."""
        return self._loop.run(self._workspaces.use(name))


class Workspace:
    """A connection to a workspace. Made by `connect`; closed by `close` or at the end of `with`."""

    def __init__(self, workspace: AsyncWorkspace, loop: EventLoop, *, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._loop = loop
        self.jobs = Jobs(workspace.jobs, loop, say=say, find_again=find_again)
        self.computes = Computes(workspace.computes, loop)
        self.workspaces = Workspaces(workspace.workspaces, loop)

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self._workspace.name

    @property
    def id(self) -> str:
        """Id of the workspace."""
        return self._workspace.id

    @property
    def path(self) -> str:
        """Its folder."""
        return self._workspace.path

    @property
    def url(self) -> str:
        """Address of the server, with the base URL and without a slash at the end."""
        return self._workspace.url

    @property
    def server_pid(self) -> int | None:
        """Process of the server, where it was found by its runtime file."""
        return self._workspace.server_pid

    def status(self) -> records.ServerStatus:
        """Return what is behind the server's address now."""
        return self._loop.run(self._workspace.status())

    def mlflow(self) -> records.TrackingState:
        """Return how MLflow's server stands, and where."""
        return self._loop.run(self._workspace.mlflow())

    def experiments(self) -> list[Experiment]:
        """Return the names that jobs are grouped under, the one used last first."""
        return self._loop.run(self._workspace.experiments())

    def stop_server(self) -> None:
        """End the server as Jupyter's own shutdown does. Jobs go on."""
        self._loop.run(self._workspace.stop_server())

    def close(self) -> None:
        """Let go of the connection. Jobs go on."""
        self._loop.run(self._workspace.close())
        self._loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._workspace)


def connect(
    workspace: str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    start: bool = True,
    say: Callable[[str], None] = to_stderr,
) -> Workspace:
    """Return a workspace.

    The server is looked for in this order: `url`; MLWS_SERVER_URL with MLWS_TOKEN; a server of the workspace
    that runs on this machine; the server that started this kernel; and where there is none, one without a
    browser is started in the background, which ends when it is idle.

    Args:
        workspace: Name, or path when it holds a `/`; by default MLWS_WORKSPACE, else the current one.
        url: Address of a Jupyter server with this extension, base URL included.
        token: Its token.
        start: Whether to start a server where none runs.
        say: Takes a line of progress; by default it goes to the standard error.

    Raises:
        ServerUnreachable: Nobody answers there.
        TokenRefused: The token is wrong or missing.
        NotOurServer: It has not this extension.
        OtherVersion: It speaks another version's language.
        WorkspaceUnknown: There is no workspace of that name.
        WorkspaceNameInvalid: No folder can have that name or path.
        ServerStartFailed: A server had to be started and did not come up; it says why.
    """
    finder = Finder(workspace=workspace, url=url, token=token, start=start)
    loop = EventLoop()
    try:
        return Workspace(loop.run(open_workspace(finder, say=say)), loop, say=say)
    except BaseException:
        loop.stop()
        raise


def find_again(workspace: str, id: str) -> Job:
    """Return the job `id` of the workspace in the folder `workspace`, through a connection of its own."""
    return connect(workspace).jobs.get(id)
