"""Lists, makes and changes the workspaces that this server can open, with a note in the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.model.workspace import Workspace
from jupyter_mlws.store.layout import Layout

if TYPE_CHECKING:
    from jupyter_mlws.app import Services
    from jupyter_mlws.server.gate import Gate


class Workspaces:
    """The verbs of the noun `workspace`. None of them needs an open workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        # Those that were open here lie anywhere, and a user wants to come back to them.
        self._visited: dict[str, Workspace] = {}

    def visited(self, workspace: Workspace) -> None:
        """Remember a workspace that was opened."""
        self._visited[workspace.path] = workspace

    async def list(self) -> list[Workspace]:
        """Return the workspaces of this user by name; `current` is the one that is open here."""
        found = await asyncio.to_thread(_list, dict(self._visited))
        return [self._as_seen(each) for each in found]

    async def create(self, name: str, *, who: str) -> Workspace:
        """Make a workspace beside the others. Raises `WorkspaceExists`, `WorkspaceNameInvalid`."""
        made = await asyncio.to_thread(_create, name)
        if (services := self._gate.current) is not None:
            await _note(services, made, action="create", who=who, before=None)
        return self._as_seen(made)

    async def activate(self, name: str, *, who: str) -> Workspace:
        """Open the workspace of this name here, now and at later starts. Raises `WorkspaceNotFound`."""
        path = await asyncio.to_thread(_find, name, dict(self._visited))
        before = self._gate.current
        if before is not None and before.workspace.path == path:
            return before.workspace
        services = await self._gate.change(path, chosen=lambda: asyncio.to_thread(_use, path))
        was = {"name": before.workspace.name, "path": before.workspace.path} if before else None
        await _note(services, services.workspace, action="activate", who=who, before=was)
        return self._as_seen(services.workspace)

    def _as_seen(self, workspace: Workspace) -> Workspace:
        if (services := self._gate.current) is None:
            return workspace
        return workspace.model_copy(update={"current": workspace.id == services.workspace.id})


async def _note(
    services: Services, workspace: Workspace, *, action: str, who: str, before: Mapping[str, object] | None
) -> None:
    from jupyter_mlws.store import audit

    after = {"name": workspace.name, "path": workspace.path}
    await services.records.write(
        lambda tx: audit.record(tx, who, action, "workspace", workspace.id, before, after)
    )


def _list(visited: Mapping[str, Workspace]) -> list[Workspace]:
    from jupyter_mlws.store import workspaces

    there = {path: each for path, each in visited.items() if Layout(Path(path)).description.exists()}
    known = {**there, **{each.path: each for each in workspaces.list()}}
    return sorted(known.values(), key=lambda each: (each.name, each.path))


def _create(name: str) -> Workspace:
    from jupyter_mlws.store import workspaces

    return workspaces.create(name)


def _use(path: str) -> None:
    from jupyter_mlws.store import workspaces

    workspaces.use(path)


def _find(name: str, visited: Mapping[str, Workspace]) -> str:
    """Return the path of the workspace called `name`. Raises `WorkspaceNotFound`, `WorkspaceNameInvalid`."""
    from jupyter_mlws.store import workspaces
    from jupyter_mlws.store.description import WorkspaceNotFound

    known = _list(visited)
    layout = workspaces.resolve(name)
    if layout.description.exists():
        return str(layout.root)
    for workspace in known:
        # One that lies elsewhere has a name too: the one it is shown under.
        if workspace.name == name:
            return workspace.path
    there = ", ".join(workspace.name for workspace in known) or "none"
    raise WorkspaceNotFound(f"There is no workspace {name[:100]!r}.", hint=f"The workspaces are: {there}.")
