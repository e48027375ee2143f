"""Where workspaces lie on this machine, as `store/` lays them out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.identity import WORKSPACE_ID_PATTERN


class WorkspaceNameInvalid(Invalid):
    """A workspace was asked for by a name or path that no folder has."""

    code = "workspace_name_invalid"


@dataclass(frozen=True)
class Chosen:
    """The workspace that was asked for: its folder, the words the user chose it by, and who did."""

    path: Path
    asked: str
    explicit: bool
    """Whether a person named it in the call, not the environment or the default."""

    @property
    def id(self) -> str | None:
        """The workspace's id; None when nothing is there yet."""
        try:
            found = json.loads((self.path / "workspace.json").read_text("utf-8"))["id"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # One that is damaged is as none: the server that is to open it says so.
        return found if isinstance(found, str) and re.fullmatch(WORKSPACE_ID_PATTERN, found) else None


def data_folder() -> Path:
    """Return the folder of ours under Jupyter's data directory."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "mlws"


def choose(workspace: str | None, *, environment: Mapping[str, str] | None = None) -> Chosen:
    """Return the workspace by `workspace`, else MLWS_WORKSPACE, else the current one, else `default`.

    A value with a `/` is a path, any other a name. Raises `WorkspaceNameInvalid`.
    """
    variables = os.environ if environment is None else environment
    asked = workspace or variables.get("MLWS_WORKSPACE") or _current() or "default"
    if "://" in asked:  # it would be taken for a path, and the workspace be made there
        raise WorkspaceNameInvalid(
            f"{asked[:100]!r} is the address of a server, not the name or the path of a workspace.",
            hint="Give it as url=..., or on the command line as --url; it may come from MLWS_WORKSPACE.",
        )
    try:
        path = Path(asked).expanduser().resolve() if "/" in asked else data_folder() / "workspaces" / asked
        str(path).encode()  # in JSON there is no path that is not
    except (OSError, RuntimeError, ValueError) as error:
        raise WorkspaceNameInvalid(
            f"{asked[:100]!r} is not the path of a folder: {error}.",
            hint="Give the name of a workspace, or a path with a /; it may come from MLWS_WORKSPACE.",
        ) from error
    return Chosen(path=path, asked=asked, explicit=workspace is not None)


def _current() -> str | None:
    try:
        return (data_folder() / "current").read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
