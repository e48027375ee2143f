"""Git is asked once for all who ask at the same time, and never for less than the moment they asked at."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from jupyter_mlws.tracking.git_states import GitStates
from tests.tracking.test_git import commit, repository

__all__ = ["repository"]


@pytest.fixture
def held_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which each run of git leaves a file, and then waits until the file `go` is there."""
    real, place = shutil.which("git"), tmp_path / "held"
    assert real is not None
    place.mkdir()
    script = place / "git"
    script.write_text(
        f'#!/bin/sh\ntouch "{place}/run.$$"\n'
        f'while [ ! -e "{place}/go" ]; do sleep 0.02; done\nexec "{real}" "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return place


def runs(place: Path) -> int:
    return len(list(place.glob("run.*")))


def begin(repository: Path, place: Path) -> None:
    (place / "go").touch()
    commit(repository)
    (place / "go").unlink()
    for each in place.glob("run.*"):
        each.unlink()


async def test_who_asks_while_git_is_at_work_shares_the_next_answer(repository: Path, held_git: Path) -> None:
    begin(repository, held_git)
    states = GitStates()
    first = asyncio.create_task(states.of(repository))
    async with asyncio.timeout(30):
        while not runs(held_git):  # noqa: ASYNC110 - another process makes the file
            await asyncio.sleep(0.01)
    later = [asyncio.create_task(states.of(repository)) for _ in range(5)]
    await asyncio.sleep(0)
    (repository / "train.py").write_text("print(2)\n")
    (held_git / "go").touch()
    assert await first is not None
    answers = await asyncio.gather(*later)
    assert [state is not None and state.dirty for state in answers] == [True] * 5
    assert runs(held_git) == 2


async def test_each_folder_is_asked_for_itself(repository: Path, tmp_path: Path) -> None:
    commit(repository)
    states = GitStates()
    inside, outside = await asyncio.gather(states.of(repository), states.of(tmp_path / "gone"))
    assert inside is not None and inside.commit is not None
    assert outside is None
