"""Kernels that wait, ready, on other Jupyter servers: how one is found, and comes to have one owner alone.

Each has a note, a file that says how the kernel is found; it is written before the kernel is asked for. Where
it lies says whose the kernel is. In the folder of spares it is the leading server's, and its suffix says how
the kernel stands. A worker takes a kernel by renaming its note into the attempt's folder, wholly or not at
all: whoever is killed when, there is one note, and whoever inherits it ends the kernel.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote, Whereabouts

STARTING, READY, ENDING = SUFFIXES = (".starting", ".ready", ".ending")
_SOON_SECONDS = 3.0  # that one which is being started is waited for: a start of one's own takes about as long
_LOOK_SECONDS = 0.02


class Spares:
    """The spares of one workspace, as a worker sees them; any of them may be gone at the next look."""

    def __init__(self, folder: Path, *, into: Path) -> None:
        """`into` is the path that the note of a kernel gets which is taken."""
        self._folder, self._into = folder, into

    async def take(self, remote: Remote, choice: KernelChoice) -> Whereabouts | None:
        """Take a kernel of `remote` such as `choice` asks for; None when there is none, nor will be soon."""
        kernel = choice.name or remote.kernel
        return await self._take_soon(lambda found: is_of(found, remote) and suits(found, kernel))

    async def take_any(self, remote: Remote) -> Whereabouts | None:
        """Take whichever kernel there is of `remote`, or will be soon, to make room."""
        return await self._take_soon(lambda found: is_of(found, remote))

    def give_back(self) -> None:
        """Leave what was taken to the leading server, to be ended. Raises OSError."""
        self._into.rename(self._folder / f"{self._into.parent.name}-{time.time_ns()}{ENDING}")

    async def _take_soon(self, wanted: Callable[[Whereabouts], bool]) -> Whereabouts | None:
        until = time.monotonic() + _SOON_SECONDS
        while True:
            # Before the look at those that are ready: it may become one in between.
            comes = await asyncio.to_thread(self._comes, wanted)
            found = await asyncio.to_thread(self._take, wanted)
            if found is not None or not comes or time.monotonic() > until:
                return found
            await asyncio.sleep(_LOOK_SECONDS)

    def _take(self, wanted: Callable[[Whereabouts], bool]) -> Whereabouts | None:
        for path in notes(self._folder, READY):
            found = read(path)
            if found is None or not wanted(found):
                continue
            try:
                path.rename(self._into)
            except OSError:
                continue  # another was quicker
            return found
        return None

    def _comes(self, wanted: Callable[[Whereabouts], bool]) -> bool:
        return any(
            (found := read(path)) is not None and wanted(found) for path in notes(self._folder, STARTING)
        )


def notes(folder: Path, *suffixes: str) -> list[Path]:
    """Return the notes in `folder` with one of `suffixes`, or all; by name."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in (suffixes or SUFFIXES))
    except OSError:
        return []


def read(path: Path) -> Whereabouts | None:
    """Return what a note says; None when it is gone, or is none."""
    try:
        return Whereabouts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def is_of(found: Whereabouts, remote: Remote) -> bool:
    """Whether a kernel was started on `remote` as it is now, and would be again. Pure."""
    return (found.name, found.url, found.token_file) == (remote.name, remote.url, remote.token_file)


def suits(found: Whereabouts, kernel: str | None) -> bool:
    """Whether a kernel is one of the kernelspec `kernel`; None stands for the server's default. Pure."""
    spare = found.spare
    return spare is not None and (spare.default if kernel is None else spare.kernel == kernel)
