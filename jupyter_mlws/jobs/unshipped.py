"""Notes of the attempts of which MLflow has not everything yet: an empty file each, in one folder."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

from jupyter_mlws.store.layout import Layout, PathRefused

_NEW_SECONDS = 10.0  # in which a spool is made after its note


class Unshipped:
    """The folder of the notes. Everything here touches the disk."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self._folder = folder
        self._layout = layout

    def read(self) -> list[tuple[str, int]]:
        """Return job and attempt of each note."""
        found = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            job, _, attempt = path.name.partition("-")
            with contextlib.suppress(ValueError, PathRefused):
                self._layout.attempt(job, number := int(attempt))
                found.append((job, number))
        return found

    def keeps(self, job: str, attempt: int) -> bool:
        """Whether an attempt without records is still to be noted; if its job was deleted, the note goes."""
        path = self._path(job, attempt)
        with contextlib.suppress(FileNotFoundError):
            if self._layout.attempt(job, attempt).spool.is_dir():
                return True
            if time.time() - path.stat().st_mtime < _NEW_SECONDS:
                return True
            path.unlink()
        return False

    def remove(self, attempts: Iterable[tuple[str, int]]) -> None:
        """Remove the notes of attempts, given by job and number. Raises OSError."""
        for each in attempts:
            self._path(*each).unlink(missing_ok=True)

    def _path(self, job: str, attempt: int) -> Path:
        return self._folder / _name(job, attempt)


def note_unshipped(folder: Path, job: str, attempt: int) -> None:
    """Leave a note in `folder` that MLflow has not everything of an attempt yet. Raises OSError."""
    path = folder / _name(job, attempt)
    try:
        path.touch(mode=0o600)
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _name(job: str, attempt: int) -> str:
    return f"{job}-{attempt}"
