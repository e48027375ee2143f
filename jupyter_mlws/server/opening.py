"""Opens a workspace with its services, off the event loop where it takes time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlws.app import Services, Settings
    from jupyter_mlws.model.events import Change
    from jupyter_mlws.model.workspace import Workspace


async def open_services(
    choice: str | None,
    *,
    settings: Callable[[], Settings],
    on_change: Callable[[list[Change]], None],
) -> Services:
    """Return the services of the workspace that `choice` names, made first where there is none yet.

    None stands for what the environment and the user have chosen. Raises the errors of the store.
    """
    app = await asyncio.to_thread(_import)
    workspace = await asyncio.to_thread(_open, choice)
    return await app.open(workspace, await asyncio.to_thread(settings), on_change=on_change)


def _import() -> type[Services]:
    # SQLAlchemy and the rest: a third of a second that the server's start does not wait for.
    from jupyter_mlws.app import Services
    from jupyter_mlws.server.routes import table  # noqa: F401 - the first request finds it ready

    return Services


def _open(choice: str | None) -> Workspace:
    from jupyter_mlws.store import workspaces

    return workspaces.open(workspaces.resolve(choice))
