"""A lock becomes a virtual environment, made once with uv and kept under the lock's key."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from uv import find_uv_bin

from jupyter_mlws.environments.lock import Lock
from jupyter_mlws.model.errors import NotReady

_READY = "ready"
_TAIL = 1500


class EnvironmentBuildFailed(NotReady):
    """The packages of a lock could not be installed."""

    code = "environment_build_failed"


async def build(lock: Lock, root: Path, *, python: str) -> Path:
    """Return the interpreter of an environment that holds exactly what `lock` says, below `root`.

    It is made where it is not there yet, with an interpreter like `python` (path, or version as `3.11`).
    Nothing is downloaded but the packages. Raises `EnvironmentBuildFailed`.
    """
    place = root / lock.key[:16]
    executable = place / "bin" / "python"
    if (place / _READY).exists() and executable.exists():
        return executable
    await asyncio.to_thread(root.mkdir, parents=True, exist_ok=True)
    # Built aside, so that a server that dies in the middle leaves nothing that looks ready.
    await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
    await _uv("venv", "--no-project", "--no-python-downloads", "--python", python, str(place))
    requirements = place / "requirements.txt"
    await asyncio.to_thread(requirements.write_text, "\n".join(lock.requirements) + "\n")
    await _uv(
        "pip",
        "install",
        "--python",
        str(executable),
        "--no-deps",
        "--compile-bytecode",
        "--requirement",
        str(requirements),
    )
    await asyncio.to_thread((place / _READY).touch)
    return executable


async def _uv(*arguments: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    process = await asyncio.create_subprocess_exec(
        find_uv_bin(),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
    )
    out, _ = await process.communicate()
    if process.returncode:
        said = out.decode(errors="replace").strip()[-_TAIL:]
        raise EnvironmentBuildFailed(
            f"The packages that the job ran with could not be installed again: {said}",
            hint="Make the package index reachable, or submit the job anew to run it with today's packages.",
        )
