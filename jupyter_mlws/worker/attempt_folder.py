"""The folder of an attempt: who owns it, and the small files in it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from jupyter_mlws.worker.task import Task


@dataclass(frozen=True)
class Tracking:
    """What `tracking.json` says: the variables and the source with which the job's code finds its run."""

    environment: dict[str, str]
    bootstrap: str | None
    error: str | None


class AttemptFolder:
    """Paths and small files of one attempt."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events = root / "events.jsonl"
        self.reserve = root / "reserve"
        self.notebook = root / "notebook.ipynb"
        self.outputs = root / "outputs"
        self.results = root / "results"
        self._cancel = root / "cancel"
        self._tracking = root / "tracking.json"

    def claim(self) -> bool:
        """Take the attempt for this process; False when somebody has it, or declared that it never began."""
        try:
            descriptor = os.open(self.root / "claim", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            return False
        with os.fdopen(descriptor, "w") as stream:
            stream.write(f"{os.getpid()}\n")
        return True

    def introduce(self) -> tuple[int, float, str]:
        """Write `process.json` and return what is in it: pid, start time, host."""
        pid, started, host = os.getpid(), psutil.Process().create_time(), socket.gethostname()
        self._replace("process.json", {"pid": pid, "process_started": started, "host": host})
        return pid, started, host

    def task(self) -> Task:
        """Return the task. Raises OSError or pydantic's ValidationError."""
        return Task.model_validate_json((self.root / "task.json").read_bytes())

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody wants the job to end."""
        return self._cancel.exists()

    def tracking(self) -> Tracking | None:
        """Return what the server handed over for MLflow; None while it has not."""
        try:
            content = json.loads(self._tracking.read_bytes())
        except (OSError, ValueError):
            return None
        return Tracking(
            environment={str(key): str(value) for key, value in (content.get("environment") or {}).items()},
            bootstrap=content.get("bootstrap"),
            error=content.get("error"),
        )

    def _replace(self, name: str, content: dict[str, Any]) -> None:
        incoming = self.root / f"{name}.incoming"
        incoming.write_text(json.dumps(content))
        with contextlib.suppress(OSError):
            incoming.chmod(0o600)
        incoming.replace(self.root / name)
