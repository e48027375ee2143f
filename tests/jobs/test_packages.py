"""A job runs again with the packages that it had, also after they were changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from jupyter_mlws.environments.lock import Lock, read_lock
from jupyter_mlws.model.job import KernelChoice, Rerun
from jupyter_mlws.model.status import JobStatus
from tests.jobs.conftest import Open, cell, text_of

CODE = "import six\nprint(six.__version__)"


def install(python: Path, *packages: str) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--python", str(python), *packages]
    subprocess.run(command, check=True)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter of its own, with ipykernel and an old six."""
    folder = tmp_path / "env"
    subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    install(python, "ipykernel", "six==1.16.0")
    return python


@pytest.mark.slow
async def test_a_rerun_has_the_packages_of_the_first_run(
    open_services: Open, ends: Callable[..., Awaitable[Any]], python: Path
) -> None:
    services = await open_services()
    spec = cell(CODE, kernel=KernelChoice(executable=str(python)))
    first = await ends(services, await services.jobs.submit(spec, who="ada"))
    assert first.status is JobStatus.COMPLETED, first.error
    lock = Lock.model_validate_json(services.blobs.path(first.environment).read_bytes())
    assert lock == await read_lock(str(python))

    same = await ends(services, await services.jobs.rerun(first.id, Rerun(), who="ada"))
    assert await text_of(services, same) == "1.16.0\n"
    assert not (services.layout.root / "environments").exists()  # nothing changed, nothing is built

    install(python, "six==1.17.0")
    again = await ends(services, await services.jobs.rerun(first.id, Rerun(), who="ada"))
    assert again.status is JobStatus.COMPLETED, again.error
    assert await text_of(services, again) == "1.16.0\n"
    anew = await ends(services, await services.jobs.submit(spec, who="ada"))
    assert await text_of(services, anew) == "1.17.0\n"
