"""The folder of an attempt: what is laid ready for the worker, and what the worker left there."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from jupyter_mlws.model.attempt_files import CONNECTION_FILE, KERNEL_FOLDER, AttemptFiles
from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.processes.started_with import end_started_with

_TAIL = 2000
_KERNEL_FOLDER = re.compile(KERNEL_FOLDER + "[a-z0-9_]{8}")


class NothingThere(NotFound):
    """The job has no such attempt, result, output or notebook."""

    code = "nothing_there"


class AttemptFolder:
    """The files by which a server and a worker speak, since either may die while the other lives."""

    def __init__(self, files: AttemptFiles) -> None:
        self.files = files
        self.path = files.folder

    def begin(self) -> None:
        """Create the folder. Raises FileExistsError: an attempt begins once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700)

    def write(self, name: str, text: str) -> None:
        """Write a file for the worker, whole or not at all, for the owner alone (it may hold a token)."""
        incoming = self.path / f".{name}.{os.getpid()}"
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        incoming.replace(self.path / name)

    def give_tracking(self, handover: object) -> None:
        """Tell the worker where to log."""
        self.write(self.files.tracking.name, json.dumps(handover))

    def ask_to_cancel(self) -> None:
        """Leave the wish where the worker finds it, however early in its life it is."""
        self.files.cancel.touch()

    def forestall(self) -> bool:
        """Take the claim before any worker does; True: no worker ever began or will begin.

        The folder is made where it is missing: a server that was about to make it can launch nothing then.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(self.files.claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def process(self) -> ProcessRef | None:
        """Return the worker's process as it wrote it; None when it has not."""
        try:
            known = json.loads(self.files.process.read_bytes())
            return ProcessRef(int(known["pid"]), float(known["process_started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remove_kernel_folder(self) -> None:
        """End a kernel of which a killed worker had not told, and remove its sockets; may take seconds."""
        try:
            place = Path(self.files.kernel_folder.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        # The user's code can write that file: what does not look like such a folder stays.
        if place.is_absolute() and _KERNEL_FOLDER.fullmatch(place.name):
            # One that has just begun would make its folder anew.
            end_started_with(str(place / CONNECTION_FILE))
            shutil.rmtree(place, ignore_errors=True)

    def worker_log_tail(self) -> str:
        """Return the end of what the worker printed, for the case that it died."""
        try:
            return self.files.log.read_text(errors="replace")[-_TAIL:].strip()
        except OSError:
            return ""

    def result(self, name: str) -> Path | None:
        """Return the pack of the result `name`, None when there is none."""
        try:
            files = json.loads(self.files.results_index.read_bytes())
            file = files.get(name)
        except (OSError, ValueError, AttributeError):
            return None
        # The name of the file was written by the job's kernel, which runs the user's code: keep it inside.
        if not isinstance(file, str) or Path(file).name != file:
            return None
        path = self.files.results / file
        return path if path.is_file() else None

    def output(self, file: str) -> Path | None:
        """Return a large value of a rich output, None when there is none of that name."""
        if Path(file).name != file or file in ("", ".", ".."):
            return None
        path = self.files.outputs / file
        return path if path.is_file() else None
