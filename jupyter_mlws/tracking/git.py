"""The git state of a folder: commit, branch, and whether it was changed since."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 2.0  # less than a server takes to end
# No lock is taken for refreshing the index (the user may be committing), no configured program is run,
# and nothing is asked of the user.
_OPTIONS = ("--no-optional-locks", "-c", "core.fsmonitor=false")
_STATUS = ("--porcelain=v2", "--branch", "--untracked-files=normal", "--", ".")
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
    return await asyncio.to_thread(_state, folder, timeout)


def _state(folder: Path, timeout: float) -> GitState | None:
    # A thread's own process: asyncio would fork on the event loop, and begin a thread for each there.
    try:
        if not _may_be_in_repository(folder):
            return None  # a process less
        done = subprocess.run(
            ["git", *_OPTIONS, "status", *_STATUS],
            cwd=folder,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_status(done.stdout.decode("utf-8", "replace"))


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
