"""Leaves word of this server, for the kernels and commands of the same user to find it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlws.processes.identity import ProcessRef

if TYPE_CHECKING:
    from jupyter_mlws.model.workspace import Workspace

FILE_VARIABLE = "MLWS_RUNTIME_FILE"
WORKSPACE_VARIABLE = "MLWS_WORKSPACE"
_HERE = frozenset({"", "*", "0.0.0.0", "::", "localhost", "127.0.0.1"})  # noqa: S104 - compared, not bound


class RuntimeFile:
    """The files that tell of this server: one in the runtime folder of each workspace it has served.

    All say which workspace is open now: a kernel that was started before another one was activated knows
    the server by the older file.
    """

    def __init__(self, *, url: str, token: str, headless: bool) -> None:
        """`url` is the server's, with its base URL."""
        self._url = url
        self._token = token
        self._headless = headless
        self._files: list[Path] = []

    def write(self, workspace: Workspace, *, folder: Path) -> Path:
        """Write that `workspace`, whose runtime folder is `folder`, is open; return the file there."""
        file = folder / f"server-{os.getpid()}.json"
        if file not in self._files:
            self._files.append(file)
        process = ProcessRef.this()
        text = json.dumps(
            {
                "pid": process.pid,
                "process_started": process.started,
                "url": self._url,
                "token": self._token,
                "workspace": workspace.path,
                "workspace_id": workspace.id,
                "headless": self._headless,
            }
        )
        for each in self._files:
            _write(each, text)
        return file

    def remove(self) -> None:
        """Take the files away."""
        for file in self._files:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        self._files.clear()


def address(*, scheme: str, ip: str, port: int, base_url: str) -> str:
    """Return the URL at which processes of this machine reach the server."""
    host = "127.0.0.1" if ip in _HERE else f"[{ip}]" if ":" in ip else ip
    return f"{scheme}://{host}:{port}{base_url}"


def _write(file: Path, text: str) -> None:
    # For this user alone: it holds the token.
    incoming = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    incoming.replace(file)
