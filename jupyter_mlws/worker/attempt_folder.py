"""The folder of an attempt as the worker sees it: who owns it, and the small files in it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.remote import Remote, Whereabouts
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.worker.task import Task


@dataclass(frozen=True)
class Tracking:
    """What `tracking.json` says: the variables and the source with which the job's code finds its run."""

    environment: dict[str, str] = field(default_factory=dict)
    bootstrap: str | None = None
    settings: dict[str, Any] | None = None
    sources: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Of each file that the source brings along its path, and its text if there is no such file."""
    error: str | None = None


class AttemptFolder:
    """Reads and writes the small files of one attempt, for the worker."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = AttemptFiles(root)

    def claim(self) -> bool:
        """Take the attempt for this process; False when somebody has it, or declared that it never began."""
        try:
            descriptor = os.open(self.files.claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            return False
        with os.fdopen(descriptor, "w") as stream:
            stream.write(f"{os.getpid()}\n")
        return True

    def introduce(self) -> tuple[ProcessRef, str]:
        """Write `process.json` and return what is in it: this process, and its host. Raises OSError."""
        process, host = ProcessRef.this(), socket.gethostname()
        content = {"pid": process.pid, "process_started": process.started, "host": host}
        _replace(self.files.process, content)
        return process, host

    def task(self) -> Task:
        """Return the task. Raises OSError or pydantic's ValidationError."""
        return Task.model_validate_json(self.files.task.read_bytes())

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody wants the job to end."""
        return self.files.cancel.exists()

    def note_kernel_folder(self, place: Path) -> None:
        """Leave the path of the folder of the kernel's sockets for whoever finds us killed."""
        with contextlib.suppress(OSError):  # a full disk: the folder may stay then
            self.files.kernel_folder.write_text(str(place), encoding="utf-8")

    def remote(self) -> Remote | None:
        """Return the other Jupyter server that it runs on. Raises OSError, pydantic's ValidationError."""
        try:
            return Remote.model_validate_json(self.files.remote.read_bytes())
        except FileNotFoundError:
            return None

    def note_remote_kernel(self, found: Whereabouts | None) -> None:
        """Leave how the kernel on the other server is found, for whoever finds us killed; None: it is gone.

        Raises OSError: a kernel that nobody could find again is not to be started.
        """
        if found is None:
            self.files.remote_kernel.unlink(missing_ok=True)
        else:
            _replace(self.files.remote_kernel, found.model_dump())

    def tracking(self) -> Tracking | None:
        """Return what the server handed over for MLflow; None while it has not."""
        try:
            content = json.loads(self.files.tracking.read_bytes())
        except (OSError, ValueError):
            return None
        return Tracking(
            environment={str(key): str(value) for key, value in (content.get("environment") or {}).items()},
            bootstrap=content.get("bootstrap"),
            settings=content.get("settings"),
            sources=content.get("sources") or {},
            error=content.get("error"),
        )


def _replace(path: Path, content: dict[str, Any]) -> None:
    incoming = path.with_name(f"{path.name}.incoming")
    incoming.write_text(json.dumps(content))
    with contextlib.suppress(OSError):
        incoming.chmod(0o600)
    incoming.replace(path)
