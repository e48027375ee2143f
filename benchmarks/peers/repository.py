"""A git repository as a user works in one: 200 files, all committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

FILES = 200


def make(folder: Path) -> str:
    """Make a repository of `FILES` committed files in `folder`; return the commit."""
    for number in range(FILES):
        file = folder / f"part{number % 10}" / f"module{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"VALUE = {number}\n" * 50, encoding="utf-8")
    _git(folder, "init", "--quiet")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "--message=All of it")
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
