"""jupyter_mlws by its Python client, against a headless server and a workspace of its own."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from protocol import FIVE_CELLS, ONE_CELL, answer

# Before the client is imported: no workspace of the user is touched. Short, for the sockets in it.
HOME = Path(tempfile.mkdtemp(prefix="mlwsb", dir="/tmp"))
MARK = "MLWS_BENCHMARK"
for name in (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "XDG_RUNTIME_DIR",
    "IPYTHONDIR",
):
    folder = HOME / name.removesuffix("_DIR").rpartition("_")[2].lower() / name[0].lower()
    folder.mkdir(mode=0o700, parents=True)
    os.environ[name] = str(folder)
os.environ["HOME"] = str(HOME)
os.environ["MLWS_WORKSPACE"] = str(HOME / "workspace")
os.environ[MARK] = str(HOME)
os.environ.pop("MLWS_RUNTIME_FILE", None)

import httpx  # noqa: E402
import psutil  # noqa: E402

import jupyter_mlws as mlws  # noqa: E402
from jupyter_mlws.client.async_job import AsyncJob  # noqa: E402
from jupyter_mlws.client.async_workspace import AsyncWorkspace  # noqa: E402
from jupyter_mlws.client.options import JobOptions  # noqa: E402
from jupyter_mlws.model.events import Output  # noqa: E402
from jupyter_mlws.model.status import JobStatus  # noqa: E402


def _end() -> None:
    """End the server, MLflow and whatever else was started here, and remove it all."""
    RUNNER.run(WORKSPACE.close())
    for _ in range(20):
        ours = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process.environ().get(MARK) == str(HOME):
                    ours.append(process)
        if not ours:
            break
        for process in ours:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(ours, timeout=5)
    shutil.rmtree(HOME, ignore_errors=True)


async def _first_output(compute: str = "local") -> float:
    began = time.perf_counter()
    options = JobOptions(compute=compute)
    job = await WORKSPACE.jobs.submit_cell("print(1 + 1)", namespace={}, options=options)
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
        if list((HOME / "workspace" / "spares").glob("*.ready")):
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
    began = time.perf_counter()
    job = await WORKSPACE.jobs.submit(path)
    await _completed(job)
    return time.perf_counter() - began


async def _burst(jobs: int) -> float:
    began = time.perf_counter()
    submitted = await asyncio.gather(*(WORKSPACE.jobs.submit(ONE_CELL) for _ in range(jobs)))
    await asyncio.gather(*(_completed(job) for job in submitted))
    return time.perf_counter() - began


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
                await client.get(state.url)
        await asyncio.sleep(0.1)
    print(f"MLflow is {state.status}", file=sys.stderr)
    return workspace


RUNNER = asyncio.Runner()
WORKSPACE = RUNNER.run(_open())
atexit.register(_end)
answer(
    {
        "first_output": lambda: RUNNER.run(_first_output()),
        "first_output_there_cold": lambda: RUNNER.run(_first_output_there_cold()),
        "first_output_there_warm": lambda: RUNNER.run(_first_output_there_warm()),
        "notebook": lambda: RUNNER.run(_run(FIVE_CELLS)),
        "burst": lambda jobs: RUNNER.run(_burst(jobs)),
        "log_metric": lambda calls: RUNNER.run(_log_metric(calls)),
        "log_metric_rest": lambda calls: RUNNER.run(_log_metric_rest(calls)),
    }
)
