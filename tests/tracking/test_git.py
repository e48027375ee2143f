"""The git state of real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from jupyter_mlws.tracking.git import GitState, git_state, parse_status


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=work")
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(folder: Path) -> str:
    (folder / "train.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return git(folder, "rev-parse", "HEAD")


async def test_a_clean_folder(repository: Path) -> None:
    first = commit(repository)
    assert await git_state(repository) == GitState(commit=first, branch="work", dirty=False)


async def test_a_changed_file_makes_it_dirty(repository: Path) -> None:
    commit(repository)
    (repository / "train.py").write_text("print(2)\n")
    state = await git_state(repository)
    assert state is not None and state.dirty


async def test_a_new_file_makes_it_dirty(repository: Path) -> None:
    commit(repository)
    (repository / "größe.py").write_text("")
    state = await git_state(repository)
    assert state is not None and state.dirty


async def test_a_change_outside_the_folder_does_not(repository: Path) -> None:
    (repository / "inner").mkdir()
    (repository / "inner" / "a.py").write_text("")
    commit(repository)
    (repository / "train.py").write_text("print(2)\n")
    state = await git_state(repository / "inner")
    assert state is not None and not state.dirty


async def test_no_branch_is_checked_out(repository: Path) -> None:
    first = commit(repository)
    git(repository, "checkout", "--quiet", "--detach")
    assert await git_state(repository) == GitState(commit=first, branch=None, dirty=False)


async def test_a_repository_without_a_commit(repository: Path) -> None:
    assert await git_state(repository) == GitState(commit=None, branch="work", dirty=False)


async def test_a_folder_in_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert await git_state(tmp_path) is None


async def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert await git_state(tmp_path / "gone") is None


async def test_no_git_is_installed(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await git_state(repository) is None


async def test_a_git_that_hangs_is_ended(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:/bin:/usr/bin")
    assert await git_state(repository, timeout=0.3) is None


def test_status_lines_are_read() -> None:
    text = "# branch.oid abc\n# branch.head main\n# branch.upstream origin/main\n# branch.ab +0 -0\n"
    assert parse_status(text) == GitState(commit="abc", branch="main", dirty=False)
    assert parse_status(f"{text}? new.py\n").dirty
