"""Finds the servers that run on this machine, by the files they leave."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlws.client import places
from jupyter_mlws.processes.runtime_folder import runtime_folder


@dataclass(frozen=True)
class Address:
    """Where a server is, and the token that opens it. The token never appears in a text."""

    url: str
    """With the base URL, without a slash at the end."""
    token: str
    source: str
    """Where the address was found, in words."""
    token_source: str | None = None
    """Where the token was found, where that is another place."""
    workspace: str | None = None
    """Folder of the server's workspace, where it is known."""
    workspace_id: str | None = None
    pid: int | None = None
    headless: bool = False

    def __repr__(self) -> str:
        return f"Address({self.url!r}, source={self.source!r})"


def read_runtime_file(path: Path) -> Address | None:
    """Return the server that `path` tells of; None when it is gone, or the file is not of this user."""
    from jupyter_mlws.processes.identity import ProcessRef  # brings psutil, which nothing else here needs

    try:
        if path.stat().st_uid != os.getuid():
            return None
        found = json.loads(path.read_text("utf-8"))
        if not ProcessRef(int(found["pid"]), float(found["process_started"])).alive():
            return None
        return Address(
            url=str(found["url"]).rstrip("/"),
            token=str(found.get("token") or ""),
            source=f"the runtime file {path}",
            workspace=str(found["workspace"]) if found.get("workspace") else None,
            workspace_id=str(found["workspace_id"]) if found.get("workspace_id") else None,
            pid=int(found["pid"]),
            headless=bool(found.get("headless")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def servers_of(workspace_id: str, *, hint: str | None = None) -> list[Address]:
    """Return the live servers of a workspace, the best first.

    Best is the one whose runtime file is `hint`, then one with JupyterLab before a headless one, then the
    newest.
    """
    try:
        files = list(runtime_folder(workspace_id).glob("server-*.json"))
    except OSError:
        return []
    # A server that has gone on to another workspace leaves word of that here too.
    found = [
        (path, address)
        for path in files
        if (address := read_runtime_file(path)) and address.workspace_id == workspace_id
    ]

    def rank(entry: tuple[Path, Address]) -> tuple[bool, bool, float]:
        path, address = entry
        return str(path) != hint, address.headless, -_modified(path)

    return [address for _, address in sorted(found, key=rank)]


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def find(chosen: places.Chosen, *, environment: Mapping[str, str] | None = None) -> Address | None:
    """Return a live server of the workspace `chosen`, or None.

    Where no workspace was named in the call, the server that started this kernel (MLWS_RUNTIME_FILE) comes
    next.
    """
    hint = (os.environ if environment is None else environment).get("MLWS_RUNTIME_FILE")
    if (workspace_id := chosen.id) and (found := servers_of(workspace_id, hint=hint)):
        return found[0]
    if hint and not chosen.explicit:
        return read_runtime_file(Path(hint))
    return None
