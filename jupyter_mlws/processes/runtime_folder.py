"""The short folder in which the processes of one user find each other: sockets, and word of each server."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from jupyter_mlws.model.errors import Invalid, NotAllowed
from jupyter_mlws.model.identity import WORKSPACE_ID_PATTERN

_SHORT_ID = 12


class NoWorkspaceId(Invalid):
    """A text that was to name a workspace's folder is no workspace's id."""

    code = "no_workspace_id"


class RuntimeFolderUnsafe(NotAllowed):
    """The folder for sockets belongs to somebody else, or others may enter it."""

    code = "runtime_folder_unsafe"


def system_folder() -> Path | None:
    """Return `$XDG_RUNTIME_DIR` if it is a folder of this user that can be written, else None."""
    given = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # After `su` or `sudo`, in a container or from cron it often names a folder that is not there, or another
    # user's. A relative one would be another folder for each process.
    return given if given.is_absolute() and _is_ours(given) and os.access(given, os.W_OK | os.X_OK) else None


def runtime_root() -> Path:
    """Return the folder that holds one for each workspace; it may not be there yet.

    It is `$XDG_RUNTIME_DIR/mlws` when that variable names a folder of this user that can be written, else
    `mlws-<uid>` in the folder for temporary files: the path of a socket holds about 100 bytes.
    """
    if given := system_folder():
        return given / "mlws"
    return Path(tempfile.gettempdir()) / f"mlws-{os.getuid()}"


def runtime_folder(workspace_id: str) -> Path:
    """Return the folder of a workspace; it may not be there yet. Raises `NoWorkspaceId`."""
    if re.fullmatch(WORKSPACE_ID_PATTERN, workspace_id) is None:
        raise NoWorkspaceId(f"{workspace_id[:100]!r} is not the id of a workspace.")
    return runtime_root() / workspace_id[:_SHORT_ID]


def make_runtime_root() -> Path:
    """Return the folder for all workspaces, made if missing, for this user alone (0700).

    Raises `RuntimeFolderUnsafe` when somebody else made it.
    """
    return _made(runtime_root())


def make_runtime_folder(workspace_id: str) -> Path:
    """Return the folder of a workspace, made if missing. Raises as the functions above."""
    folder = runtime_folder(workspace_id)
    make_runtime_root()
    return _made(folder)


def _made(folder: Path) -> Path:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    # In a shared /tmp anybody could have made the folder first, to listen to our sockets.
    if folder.is_symlink() or not _is_ours(folder):
        raise RuntimeFolderUnsafe(
            f"The runtime folder {folder} does not belong to you.",
            hint="Remove it, or set XDG_RUNTIME_DIR to a folder of your own.",
        )
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def _is_ours(folder: Path) -> bool:
    try:
        return folder.is_dir() and folder.stat().st_uid == os.getuid()
    except OSError:
        return False
