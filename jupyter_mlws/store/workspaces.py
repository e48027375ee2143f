"""Workspaces: make, list, choose and open the folders that hold everything."""

from __future__ import annotations

import builtins
import contextlib
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir
from pydantic import TypeAdapter, ValidationError

from jupyter_mlws.model.errors import Conflict, Invalid, MlwsError
from jupyter_mlws.model.workspace import Workspace, WorkspaceName
from jupyter_mlws.store.description import (
    Description,
    NotAWorkspace,
    read_description,
    write_description,
)
from jupyter_mlws.store.durable import locked, make_folder, refusals, write_atomically
from jupyter_mlws.store.layout import Layout

VARIABLE = "MLWS_WORKSPACE"
DEFAULT = "default"
_NAME: TypeAdapter[str] = TypeAdapter(WorkspaceName)


class WorkspaceExists(Conflict):
    """A workspace of this name is there already."""

    code = "workspace_exists"


class WorkspaceNameInvalid(Invalid):
    """A name or path that no folder can have."""

    code = "workspace_name_invalid"


def data_folder() -> Path:
    """Return the folder with the default places of workspaces, below Jupyter's data directory."""
    return Path(jupyter_data_dir()) / "mlws"


def resolve(choice: str | None = None) -> Layout:
    """Return the layout of the workspace that is meant; it may not exist yet.

    The first of these that is given decides: `choice`, the variable MLWS_WORKSPACE, the workspace of
    the last `use`, "default". Text with a `/` is a path, other text a name. Raises `WorkspaceNameInvalid`.
    """
    return _place(choice or os.environ.get(VARIABLE) or _current() or DEFAULT)


def list() -> builtins.list[Workspace]:
    """Return the workspaces in the default place and the current one, by name."""
    current: Layout | None = None
    with contextlib.suppress(WorkspaceNameInvalid):
        current = resolve()
    places = set() if current is None else {current.root}
    with contextlib.suppress(FileNotFoundError):
        places.update(place.resolve() for place in (data_folder() / "workspaces").iterdir())
    found = []
    for place in places:
        # A folder that somebody broke or put there must not hide the others.
        with contextlib.suppress(MlwsError, OSError):
            found.append(_as_seen(Layout(place), current=current))
    return sorted(found, key=lambda workspace: (workspace.name, workspace.path))


def create(name: str) -> Workspace:
    """Make a workspace in the default place.

    Raises `WorkspaceExists`, `WorkspaceNameInvalid` or what `open` raises.
    """
    layout = _named(name)
    if layout.description.exists():
        raise WorkspaceExists(
            f"There is a workspace {name!r} already.", hint="Choose another name, or use it."
        )
    return open(layout)


def use(choice: str) -> Workspace:
    """Make the workspace of this name or path the current one of this user.

    Raises `WorkspaceNotFound`, `WorkspaceNameInvalid`, or `WorkspaceReadOnly` for Jupyter's data directory.
    """
    layout = _place(choice)
    read_description(layout)
    note = data_folder() / "current"
    with refusals(note):
        make_folder(note.parent)
        write_atomically(note, (str(layout.root) if "/" in choice else choice).encode())
    return _as_seen(layout, current=layout)


def open(layout: Layout) -> Workspace:
    """Return the workspace at `layout` once it can be written; a new or empty folder becomes one.

    Raises `WorkspaceReadOnly` with the path that is read-only, `NotAWorkspace`, `WorkspaceTooNew` or
    `DiskFull`.
    """
    with refusals(layout.root):
        if not layout.description.exists():
            _make(layout)
        read_description(layout)
        for folder in (layout.root, layout.blobs, layout.jobs):
            make_folder(folder)
            _probe(folder)
    current: Layout | None = None
    with contextlib.suppress(WorkspaceNameInvalid):
        current = resolve()
    return _as_seen(layout, current=current)


def _place(choice: str) -> Layout:
    if "/" not in choice:
        return _named(choice)
    try:
        path = Path(choice).expanduser().resolve()
        str(path).encode()  # in JSON there is no path that is not
        with contextlib.suppress(PermissionError):
            path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise WorkspaceNameInvalid(f"{choice[:100]!r} is not the path of a folder: {error}.") from error
    return Layout(path)


def _named(name: str) -> Layout:
    try:
        folder = data_folder() / "workspaces" / _NAME.validate_python(name)
    except ValidationError as error:
        raise WorkspaceNameInvalid(
            f"{name[:100]!r} cannot be the name of a workspace.",
            hint="Use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or digit.",
        ) from error
    return Layout(folder.resolve())


def _current() -> str | None:
    try:
        return (data_folder() / "current").read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _make(layout: Layout) -> None:
    root = layout.root
    try:
        make_folder(root)
        # Of two servers that start at once one makes the workspace, and the other takes it as it is.
        with locked(root):
            if layout.description.exists():
                return
            # A hidden file of its name is what a process left that was killed while it made it.
            if any(not file.name.startswith(f".{layout.description.name}.") for file in root.iterdir()):
                raise NotAWorkspace(
                    f"{root} is not a workspace, and not an empty folder that could become one.",
                    hint="Give the path of a workspace, or of a new folder.",
                )
            write_description(layout, _new_description(root.name))
    except NotADirectoryError as error:
        raise NotAWorkspace(
            f"{root} cannot be a workspace: it is a file, or lies below one.", hint="Give another path."
        ) from error


def _new_description(folder_name: str) -> Description:
    try:
        name = _NAME.validate_python(folder_name)
    except ValidationError:
        name = "workspace"
    return Description(id=secrets.token_hex(16), name=name, created_at=datetime.now(UTC))


def _probe(folder: Path) -> None:
    # The mode does not tell: a mount may be read-only, and root is not bound by the mode.
    probe = folder / f".probe-{secrets.token_hex(8)}"
    with refusals(folder):
        probe.touch(mode=0o600, exist_ok=False)
        probe.unlink()


def _as_seen(layout: Layout, *, current: Layout | None) -> Workspace:
    made = read_description(layout)
    return Workspace(
        name=made.name,
        id=made.id,
        path=str(layout.root),
        created_at=made.created_at,
        current=current is not None and layout.root == current.root,
    )
