"""The git states of the folders of jobs that begin at the same time: git is asked once for all of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_mlws.tracking.git import GitState, git_state


class GitStates:
    """Asks git about a folder, one question at a time."""

    def __init__(self) -> None:
        self._asked: dict[Path, asyncio.Task[GitState | None]] = {}
        self._next: dict[Path, asyncio.Task[GitState | None]] = {}

    async def of(self, folder: Path) -> GitState | None:
        """Return the state of `folder` at some moment after the call; None as `git_state` does.

        Who asks while git is at work waits for the next answer, which all get who ask until it is begun.
        """
        task = self._next.get(folder)
        if task is None:
            before = self._asked.get(folder)
            task = asyncio.create_task(self._ask(folder, before))
            self._next[folder] = task
        return await asyncio.shield(task)

    async def _ask(self, folder: Path, before: asyncio.Task[GitState | None] | None) -> GitState | None:
        if before is not None:
            await asyncio.wait({before})
        else:
            await asyncio.sleep(0)
        this = self._next.pop(folder)
        self._asked[folder] = this
        try:
            return await git_state(folder)
        finally:
            if self._asked.get(folder) is this:
                del self._asked[folder]
