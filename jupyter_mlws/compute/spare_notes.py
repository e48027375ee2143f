"""The notes of kernels that wait on other servers, as our servers write them. Touches the disk.

See kernels/remote/spares.py for what they mean, and how a worker takes one.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from jupyter_mlws.kernels.remote.spares import ENDING, READY, STARTING, notes, read
from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.remote import Whereabouts
from jupyter_mlws.store.durable import locked, make_folder, write_atomically


class SpareNotes:
    """The notes in `folder`, which is made with the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self) -> Path:
        """Return the path of a note that is to be written."""
        return self.folder / f"{new_id()}{STARTING}"

    def begin(self, path: Path, found: Whereabouts) -> None:
        """Write a note, durably: a kernel that nobody could find is not to be started. Raises OSError."""
        make_folder(self.folder)
        write_atomically(path, found.model_dump_json().encode())

    def update(self, path: Path, found: Whereabouts) -> bool:
        """Write a note that was begun anew; False when somebody has its kernel ended."""
        with locked(self.folder):
            if not path.exists():
                return False
            write_atomically(path, found.model_dump_json().encode())
            return True

    def offer(self, path: Path) -> bool:
        """Let workers take the kernel of a note; False when somebody has it ended."""
        with contextlib.suppress(FileNotFoundError), locked(self.folder):
            path.rename(path.with_suffix(READY))
            return True
        return False

    def claim(self, path: Path) -> Path | None:
        """Take a note from the offers, to end its kernel; None when a worker has it."""
        ending = path.with_suffix(ENDING)
        with contextlib.suppress(FileNotFoundError), locked(self.folder):
            path.rename(ending)
            if path != ending:
                ending.touch()  # its age is the time since then
            return ending
        return None

    def of(self, name: str | None = None) -> list[tuple[Path, Whereabouts]]:
        """Return the notes of the compute `name`, or all."""
        found = [(path, read(path)) for path in notes(self.folder)]
        return [(path, each) for path, each in found if each is not None and name in (None, each.name)]

    def tokens(self) -> set[str]:
        """Return the ids of the tokens that kernels in the notes are reached with."""
        return {Path(found.token_file).name for _, found in self.of() if found.token_file is not None}

    def age(self, path: Path) -> float:
        """Return the seconds since a note was written, or claimed."""
        with contextlib.suppress(OSError):
            return max(0.0, time.time() - path.stat().st_mtime)
        return 0.0
