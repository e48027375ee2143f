"""The file `workspace.json`, which makes a folder a workspace; it holds no path, so that can be moved."""

from __future__ import annotations

import json

from pydantic import Field

from jupyter_mlws.model.errors import Conflict, NotFound
from jupyter_mlws.model.identity import WORKSPACE_ID_PATTERN
from jupyter_mlws.model.record import Moment, Record
from jupyter_mlws.model.workspace import WorkspaceName
from jupyter_mlws.store.durable import refusals, write_atomically
from jupyter_mlws.store.layout import Layout

FORMAT = 1
"""Grows when an older version could not use the folder."""


class WorkspaceNotFound(NotFound):
    """No workspace has this name or path."""

    code = "workspace_not_found"


class NotAWorkspace(Conflict):
    """The path leads to a file, to a folder with other things in it, or to a workspace that was damaged."""

    code = "not_a_workspace"


class WorkspaceTooNew(Conflict):
    """A newer version of jupyter_mlws has made it."""

    code = "workspace_too_new"


class Description(Record):
    """What is known of a workspace before its database is open."""

    id: str = Field(pattern=WORKSPACE_ID_PATTERN)
    name: WorkspaceName
    created_at: Moment
    format: int = FORMAT


def read_description(layout: Layout) -> Description:
    """Return the description. Raises `WorkspaceNotFound`, `NotAWorkspace` or `WorkspaceTooNew`."""
    try:
        with refusals(layout.description):
            content = json.loads(layout.description.read_bytes())
        if isinstance(content, dict) and content.get("format", 0) > FORMAT:
            raise WorkspaceTooNew(
                f"The workspace {layout.root} has format {content['format']}, made by a newer version.",
                hint="Upgrade jupyter_mlws, or choose another workspace with MLWS_WORKSPACE.",
            )
        return Description.model_validate(content)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise WorkspaceNotFound(
            f"There is no workspace at {layout.root}.", hint="`jupyter mlws workspace list` lists them."
        ) from error
    except (ValueError, TypeError, IsADirectoryError) as error:
        raise NotAWorkspace(
            f"{layout.description} does not describe a workspace.",
            hint="Restore it from a backup: it holds the id, the name, created_at and the format.",
        ) from error


def write_description(layout: Layout, description: Description) -> None:
    """Write it so that another process sees all of it or nothing."""
    write_atomically(layout.description, description.model_dump_json().encode())
