"""A real MLflow server for a module, and real processes that log into a run as jobs do."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.handover import Handover, KnownRun, Settings, handover
from jupyter_mlws.tracking.identity import RunIdentity, identify
from jupyter_mlws.tracking.progress import size_of, state_of
from jupyter_mlws.tracking.recording import RunRecord
from jupyter_mlws.tracking.server import TrackingServer
from jupyter_mlws.tracking.shipper import Shipper
from jupyter_mlws.tracking.shipping_request import Told
from tests.mlflow_runs import Runs

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Live:
    """An MLflow server that runs, and the workspace that it serves."""

    root: Path
    server: TrackingServer
    address: TrackingAddress


@contextlib.contextmanager
def _a_live() -> Iterator[Live]:
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


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """One MLflow server for the tests of a module, in a folder whose name is no plain one."""
    with _a_live() as made:
        yield made


@pytest.fixture
def mortal() -> Iterator[Live]:
    """An MLflow server for one test alone, which may kill it."""
    with _a_live() as made:
        yield made


@pytest.fixture
async def runs(live: Live) -> Any:
    """A client of `live`."""
    client = Runs(live.server.ensure)
    yield client
    await client.close()


@dataclass(frozen=True)
class JobRun:
    """The run of a job that has just begun: its spool, and what its kernel is handed."""

    identity: RunIdentity
    job: str
    folder: Path
    given: Handover

    @property
    def run_id(self) -> str:
        return self.identity.run_id

    @property
    def experiment_id(self) -> str:
        return self.identity.experiment_id


def begin(live: Live, *, experiment: str = "Jobs", params: dict[str, Any] | None = None) -> JobRun:
    """Begin a job's run as the server does, but for shipping it."""
    number, job = next(_numbers), new_id()
    folder = Layout(live.root).attempt(job, 1).spool
    folder.mkdir(parents=True)
    run = identify(live.server.database, job=job, attempt=1, experiment=experiment)
    params = params or {}
    with RunRecord(folder, run) as record:
        record.begin(name=f"job {number}", started_at=datetime.now(UTC), tags={"mlws.job": job})
        record.params(params)
    known = KnownRun(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        experiment=experiment,
        location=run.location,
        job=job,
        attempt=1,
        name=f"job {number}",
        user="ada",
        start_time=int(time.time() * 1000),
        params={key: str(value) for key, value in params.items()},
        tags={},
    )
    settings = Settings(
        folder=str(folder),
        server=str(live.server.settings),
        doorbell=None,
        run=known,
    )
    given = handover(live.server.reserve(), run=run, settings=settings)
    return JobRun(run, job, folder, given)


def ship_all(live: Live, job: JobRun) -> Told:
    """Ship what a job has logged, as the server does; return what MLflow's server said at last."""
    shipper = Shipper()
    try:
        while True:
            [told] = shipper.ship(live.server.reserve(), [(job.job, 1)], wait=True)
            assert told.trouble is None and not told.busy
            if told.left <= 0:
                return told
    finally:
        shipper.close()


@pytest.fixture
def new_job(live: Live) -> Callable[[], Awaitable[JobRun]]:
    """`await new_job()` gives the run of a new job, which is in MLflow."""

    async def create() -> JobRun:
        job = begin(live)
        ship_all(live, job)
        return job

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

    def run(self, live: Live, run: JobRun, code: str, *, shipped: bool = True) -> dict[str, Any]:
        """Run `code` as a job with this run (`J` in the code); returns what it put into `result`."""
        task = {"handover": run.given, "code": code}
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(task), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        if shipped:
            ship_all(live, run)
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
    def __call__(self, live: Live, run: JobRun, code: str, *, folder: Path) -> dict[str, Any]: ...


@pytest.fixture
def run_fresh() -> RunFresh:
    """`run_fresh(live, run, code, folder=...)`: as `jobs.run`, but mlflow is imported by the job."""
    return _run_fresh


def _run_fresh(live: Live, run: JobRun, code: str, *, folder: Path) -> dict[str, Any]:
    (folder / "handover.json").write_text(json.dumps(run.given))
    script = folder / "job.py"
    script.write_text(f"{_PREAMBLE}\n{code}\nprint(json.dumps(result))\n")
    done = subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ship_all(live, run)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


_PREAMBLE = """
import json, os, sys
given = json.load(open("handover.json"))
bootstrap = {}
exec(given["bootstrap"], bootstrap)
bootstrap["install"](given)
assert "mlflow" not in sys.modules
J = given["run_id"]
result = {}
"""


def left(folder: Path) -> int:
    """Return the bytes of the spool in `folder` that are not shipped yet."""
    return size_of(folder) - state_of(folder).offset
