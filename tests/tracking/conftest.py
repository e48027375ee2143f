"""A real MLflow server for a module, and real processes that log into a run as jobs do."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.handover import handover
from jupyter_mlws.tracking.runs import RunIdentity, Runs
from jupyter_mlws.tracking.server import TrackingServer

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Live:
    """An MLflow server that runs, and the workspace that it serves."""

    root: Path
    server: TrackingServer
    address: TrackingAddress


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """One MLflow server for the tests of a module, in a folder whose name is no plain one."""
    # /tmp, because a socket's path is short.
    top = Path(tempfile.mkdtemp(prefix="mlws", dir="/tmp")).resolve()
    root = top / "a workspace?%20#ü"
    root.mkdir()
    server = TrackingServer(Layout(root), runtime=top / "run", rest=0)
    try:
        yield Live(root, server, asyncio.run(server.ensure()))
    finally:
        asyncio.run(server.stop())
        shutil.rmtree(top)


@pytest.fixture
async def runs(live: Live) -> Any:
    """A client of `live`."""
    client = Runs(live.server.ensure)
    yield client
    await client.close()


@pytest.fixture
def new_job(live: Live) -> Callable[[], Awaitable[RunIdentity]]:
    """`await new_job()` gives the run of a new job."""

    async def create() -> RunIdentity:
        client = Runs(live.server.ensure)
        try:
            number = next(_numbers)
            return await client.create_run(
                experiment="Jobs", name=f"job {number}", job=f"j{number}", attempt=1
            )
        finally:
            await client.close()

    return create


class Jobs:
    """Forks a process for each piece of code, from one that has imported mlflow and scikit-learn already."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking_jobs.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, live: Live, run: RunIdentity, code: str) -> dict[str, Any]:
        """Run `code` as a job with this run (`J` in the code); returns what it put into `result`."""
        task = {"handover": handover(live.address, run=run), "code": code}
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(task), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def jobs() -> Iterator[Jobs]:
    """Processes that run code as a job does; `import mlflow` came first."""
    made = Jobs()
    yield made
    made.close()


class RunFresh(Protocol):
    def __call__(self, live: Live, run: RunIdentity, code: str, *, folder: Path) -> dict[str, Any]: ...


@pytest.fixture
def run_fresh() -> RunFresh:
    """`run_fresh(live, run, code, folder=...)`: as `jobs.run`, but mlflow is imported by the job."""
    return _run_fresh


def _run_fresh(live: Live, run: RunIdentity, code: str, *, folder: Path) -> dict[str, Any]:
    (folder / "handover.json").write_text(json.dumps(handover(live.address, run=run)))
    script = folder / "job.py"
    script.write_text(f"{_PREAMBLE}\n{code}\nprint(json.dumps(result))\n")
    done = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


_PREAMBLE = """
import json, os, sys
given = json.load(open("handover.json"))
bootstrap = {}
exec(given["bootstrap"], bootstrap)
bootstrap["install"](given["environment"])
assert "mlflow" not in sys.modules
J = given["run_id"]
result = {}
"""
