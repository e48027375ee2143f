"""The git state of a folder: commit, branch, and whether it was changed since."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 5.0
# No lock is taken for refreshing the index (the user may be committing), no configured program is run,
# and nothing is asked of the user.
_OPTIONS = ("--no-optional-locks", "-c", "core.fsmonitor=false")
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


@dataclass(frozen=True)
class GitState:
    """Where a folder stood. A repository without a commit has `commit` None."""

    commit: str | None
    branch: str | None
    """None when no branch is checked out."""
    dirty: bool
    """Whether tracked files under the folder differ from the commit, or there are untracked ones."""


async def git_state(folder: Path, *, timeout: float = _TIMEOUT) -> GitState | None:
    """Return the git state of `folder`; None when it is in no repository, git is missing or too slow.

    Does not hold the event loop. `timeout` is in seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            if not await asyncio.to_thread(_may_be_in_repository, folder):
                return None  # a process less
            status = await _git(
                folder, "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", "."
            )
    except (OSError, TimeoutError):
        return None
    return None if status is None else parse_status(status)


def parse_status(text: str) -> GitState:
    """Return what `git status --porcelain=v2 --branch` printed as a `GitState`."""
    commit = branch = None
    dirty = False
    for line in text.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif not line.startswith("#"):
            dirty = True
    return GitState(
        commit=None if commit == "(initial)" else commit,
        branch=None if branch == "(detached)" else branch,
        dirty=dirty,
    )


def _may_be_in_repository(folder: Path) -> bool:
    resolved = folder.resolve()
    return "GIT_DIR" in os.environ or any((each / ".git").exists() for each in (resolved, *resolved.parents))


async def _git(folder: Path, *arguments: str) -> str | None:
    process = await asyncio.create_subprocess_exec(
        "git",
        *_OPTIONS,
        *arguments,
        cwd=folder,
        env={**os.environ, **_ENVIRONMENT},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return output.decode("utf-8", "replace") if process.returncode == 0 else None
