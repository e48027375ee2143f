from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlws.environments.build import EnvironmentBuildFailed, build
from jupyter_mlws.environments.lock import Lock, read_lock

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def version_of_six(python: Path) -> str:
    command = [str(python), "-c", "import six; print(six.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def test_an_old_version_is_had_again_and_built_once(tmp_path: Path) -> None:
    lock = Lock(python="3.11", packages=["six==1.16.0"])
    python = await build(lock, tmp_path, python=sys.executable)
    assert version_of_six(python) == "1.16.0"
    assert (await read_lock(str(python))).packages == ["six==1.16.0"]
    made = python.parent.stat().st_ino
    assert await build(lock, tmp_path, python=sys.executable) == python
    assert python.parent.stat().st_ino == made


async def test_what_was_left_by_a_death_in_the_middle_is_made_anew(tmp_path: Path) -> None:
    lock = Lock(python="3.11", packages=["six==1.16.0"])
    (tmp_path / lock.key[:16] / "bin").mkdir(parents=True)
    assert version_of_six(await build(lock, tmp_path, python=PYTHON)) == "1.16.0"


async def test_a_version_that_is_nowhere_is_named(tmp_path: Path) -> None:
    lock = Lock(python="3.11", packages=["six==0.0.0.1"])
    with pytest.raises(EnvironmentBuildFailed, match=r"six==0\.0\.0\.1"):
        await build(lock, tmp_path, python=sys.executable)
