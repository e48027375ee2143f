"""jupyter_mlws by its magic and its Python client, against a headless server and a workspace of its own."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import itertools
import os
import sys
import time
from pathlib import Path

import own_home

# Before the client is imported.
HOME = own_home.move_in()

import httpx  # noqa: E402
import psutil  # noqa: E402
import recorded  # noqa: E402
import repository  # noqa: E402
from notebook_shell import TABLE, TRIVIAL, NotebookShell, Ran  # noqa: E402
from protocol import FIVE_CELLS, ONE_CELL, answer  # noqa: E402
from timeline import moments  # noqa: E402

import jupyter_mlws as mlws  # noqa: E402
from jupyter_mlws.client.async_job import AsyncJob  # noqa: E402
from jupyter_mlws.client.async_workspace import AsyncWorkspace  # noqa: E402
from jupyter_mlws.client.options import JobOptions  # noqa: E402
from jupyter_mlws.model.events import AttemptBegan, KernelStarted, Output  # noqa: E402
from jupyter_mlws.model.status import JobStatus  # noqa: E402

PATH = HOME / "workspace"
SEEDS = itertools.count()


def _end() -> None:
    RUNNER.run(WORKSPACE.close())
    os.chdir("/")
    own_home.move_out(HOME)


def _submitted(code: str, cells: int) -> list[Ran]:
    """Run `cells` cells by the magic, each once the one before has ended; all are complete in MLflow."""
    ran = []
    for _ in range(cells):
        if code == TABLE:
            SHELL.new_table(next(SEEDS))
        ran.append(SHELL.submit(code))
    for each in ran:
        recorded.check(MLFLOW, each.job.record, artifacts=recorded.OF_CELL, commit=COMMIT)
    return ran


def _timeline(cells: int) -> list[dict[str, float]]:
    return [moments(ran, workspace=PATH) for ran in _submitted(TRIVIAL, cells)]


async def _first_output(compute: str = "local") -> float:
    """The same by the Python client, without a notebook."""
    began = time.perf_counter()
    options = JobOptions(compute=compute)
    job = await WORKSPACE.jobs.submit_cell(TRIVIAL, namespace={}, options=options)
    async for event in job.events():
        if isinstance(event, Output):
            took = time.perf_counter() - began
            await job.wait(60)
            return took
    raise RuntimeError(f"no output: {job.record.error}")


async def _first_output_there_cold() -> float:
    """The same on the Jupyter server that the environment names, where no kernel waits."""
    await _there("cold")
    try:
        return await _first_output(compute="cold")
    finally:
        await WORKSPACE.computes.delete("cold")


async def _first_output_there_warm() -> float:
    """The same where a kernel waits, since a job has run there before."""
    if await _there("warm"):
        await _first_output(compute="warm")
        await _spare()
    try:
        return await _first_output(compute="warm")
    finally:
        await _spare()  # which takes time of both machines, that whatever is measured next shall have


async def _spare() -> None:
    for _ in range(1200):
        if list((PATH / "spares").glob("*.ready")):
            return
        await asyncio.sleep(0.05)
    raise RuntimeError("no kernel waits there")


async def _there(name: str) -> bool:
    """Make a compute of the server elsewhere; False when there is one."""
    if any(each.name == name for each in await WORKSPACE.computes.list()):
        return False
    url, token = os.environ["MLWS_BENCHMARK_URL"], os.environ["MLWS_BENCHMARK_TOKEN"]
    await WORKSPACE.computes.create(name, url=url, token=token)
    return True


async def _run(path: Path) -> float:
    """Seconds until a notebook is Completed; its run is complete by then."""
    began = time.perf_counter()
    job = await WORKSPACE.jobs.submit(path)
    await _completed(job)
    took = time.perf_counter() - began
    recorded.check(MLFLOW, job.record, artifacts=(f"code/{path.name}", *recorded.OF_NOTEBOOK))
    return took


async def _burst(jobs: int) -> float:
    """Seconds until the last of many is Completed; each has its output. They are waited for one by one."""
    began = time.perf_counter()
    submitted = await asyncio.gather(*(WORKSPACE.jobs.submit(ONE_CELL) for _ in range(jobs)))
    for job in submitted:
        await _completed(job)
    took = time.perf_counter() - began
    for job in submitted:
        if (printed := await job.logs()) != "2\n":
            raise RuntimeError(f"the output of {job.id} is {printed[:100]!r}")
    if len({job.id for job in submitted}) != jobs:
        raise RuntimeError("two jobs are one")
    return took


async def _killed(metrics: int) -> int:
    """Return how many metrics are in MLflow of a job that is killed with -9 a second after it logged them."""
    code = (
        "import mlflow, time\n"
        f"for step in range({metrics}):\n"
        "    mlflow.log_metric('loss', 1 / (step + 1), step=step)\n"
        "print('logged', flush=True)\n"
        "time.sleep(600)"
    )
    job = await WORKSPACE.jobs.submit_cell(code, namespace={})
    pids: list[int] = []
    async for event in job.events():
        if isinstance(event, AttemptBegan | KernelStarted) and event.pid is not None:
            pids.append(event.pid)
        if isinstance(event, Output):
            break
    processes = [psutil.Process(pid) for pid in pids]
    if len(processes) != 2:
        raise RuntimeError(f"not a worker and a kernel, but {processes}")
    await asyncio.sleep(1)
    for process in processes:
        process.kill()
    record = await job.wait(120)
    if record.status is not JobStatus.FAILED or record.run_id is None:
        raise RuntimeError(f"the killed job ended {record.status}, run {record.run_id}")
    for _ in range(60):
        if (found := recorded.steps(MLFLOW, record.run_id, "loss")) == metrics:
            break
        await asyncio.sleep(0.5)
    return found


async def _log_metric(calls: int) -> float:
    """Seconds of a call of `mlflow.log_metric` in a job: the median of many."""
    return await _logged(f"{_MEASURED}\nseconds = measured({calls})")


async def _log_metric_rest(calls: int) -> float:
    """The same of a process that the job starts, which has MLflow's plain client."""
    program = f"{_MEASURED}\nprint(measured({calls}))"
    run = "subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)"
    return await _logged(
        f"import subprocess, sys\nprogram = {program!r}\nseconds = float({run}.stdout.splitlines()[-1])"
    )


async def _logged(code: str) -> float:
    job = await WORKSPACE.jobs.submit_cell(code, namespace={}, outputs=["seconds"])
    await _completed(job)
    return float(await job.result("seconds"))


_MEASURED = """
import statistics, time
import mlflow
def measured(calls):
    mlflow.log_metric("loss", 1, step=0)
    seconds = []
    for step in range(1, calls + 1):
        began = time.perf_counter()
        mlflow.log_metric("loss", 1 / step, step=step)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
"""


async def _completed(job: AsyncJob) -> None:
    record = await job.wait(300)
    if record.status is not JobStatus.COMPLETED:
        raise RuntimeError(f"the job ended {record.status}: {record.error}")


async def _open() -> AsyncWorkspace:
    workspace = await mlws.aconnect()
    # MLflow's server is started by whoever connects; its start is no job's time.
    while (state := await workspace.mlflow()).status != "ready":
        if state.url is not None:
            async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(state.url)
        await asyncio.sleep(0.1)
    print(f"MLflow is {state.status}", file=sys.stderr)
    return workspace


(HOME / "repository").mkdir()
COMMIT = repository.make(HOME / "repository")
os.chdir(HOME / "repository")
RUNNER = asyncio.Runner()
WORKSPACE = RUNNER.run(_open())
atexit.register(_end)
MLFLOW = recorded.client(PATH)
SHELL = NotebookShell()
answer(
    {
        "cells": lambda cells: [ran.seconds for ran in _submitted(TRIVIAL, cells)],
        "cells_with_table": lambda cells: [ran.seconds for ran in _submitted(TABLE, cells)],
        "timeline": _timeline,
        "first_output": lambda: RUNNER.run(_first_output()),
        "first_output_there_cold": lambda: RUNNER.run(_first_output_there_cold()),
        "first_output_there_warm": lambda: RUNNER.run(_first_output_there_warm()),
        "notebook": lambda: RUNNER.run(_run(FIVE_CELLS)),
        "burst": lambda jobs: RUNNER.run(_burst(jobs)),
        "killed": lambda metrics: RUNNER.run(_killed(metrics)),
        "log_metric": lambda calls: RUNNER.run(_log_metric(calls)),
        "log_metric_rest": lambda calls: RUNNER.run(_log_metric_rest(calls)),
    }
)
