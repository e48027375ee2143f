"""Where workspaces and the files of running servers lie on this machine, as `store/` lays them out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_SHORT_ID = 12


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
        return found if isinstance(found, str) else None


def data_folder() -> Path:
    """Return the folder of ours under Jupyter's data directory."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "mlws"


def choose(workspace: str | None, *, environment: Mapping[str, str] | None = None) -> Chosen:
    """Return the workspace by `workspace`, else MLWS_WORKSPACE, else the current one, else `default`.

    A value with a `/` is a path, any other a name.
    """
    variables = os.environ if environment is None else environment
    asked = workspace or variables.get("MLWS_WORKSPACE") or _current() or "default"
    path = Path(asked).expanduser().resolve() if "/" in asked else data_folder() / "workspaces" / asked
    return Chosen(path=path, asked=asked, explicit=workspace is not None)


def _current() -> str | None:
    try:
        return (data_folder() / "current").read_text("utf-8").strip() or None
    except OSError:
        return None


def runtime_root() -> Path:
    """Return the short folder, of this user alone, below which running servers leave their files."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    # After `su`, in a container or from cron it often names a folder that is not there, or another user's.
    if base and Path(base).is_dir() and os.access(base, os.W_OK | os.X_OK):
        return Path(base) / "mlws"
    return Path(tempfile.gettempdir()) / f"mlws-{os.getuid()}"


def runtime_folder(workspace_id: str) -> Path:
    """Return where the servers of one workspace leave their files."""
    return runtime_root() / workspace_id[:_SHORT_ID]
