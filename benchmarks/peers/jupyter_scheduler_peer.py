"""jupyter-scheduler on a Jupyter server of its own: POST a job, ask for its status until it is COMPLETED.

It shows no output before the end: its first output is the whole job.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from protocol import FIVE_CELLS, ONE_CELL, answer

_EVERY = 0.02  # seconds between two questions for the status


def _serve() -> httpx.Client:
    home = Path(tempfile.mkdtemp(prefix="bench"))
    root = home / "root"
    root.mkdir()
    shutil.copy(ONE_CELL, root)
    shutil.copy(FIVE_CELLS, root)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = os.urandom(12).hex()
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    process = subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "jupyter_server",
                "--no-browser",
                "--allow-root",
                "--ServerApp.ip=127.0.0.1",
            ),
            *(f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"),
            *(f"--ServerApp.root_dir={root}", "--ServerApp.jpserver_extensions=jupyter_scheduler=True"),
            f"--SchedulerApp.db_url=sqlite:///{home}/scheduler.sqlite",
        ],
        env={**os.environ, "HOME": str(home), **folders},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("wb"),
        start_new_session=True,
    )

    def end() -> None:
        process.terminate()
        process.wait(20)
        shutil.rmtree(home, ignore_errors=True)

    atexit.register(end)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"token {token}"}, timeout=60
    )
    for _ in range(1200):
        try:
            if client.get("/scheduler/runtime_environments").status_code == 200:
                return client
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            raise RuntimeError((home / "log").read_text()[-2000:])
        time.sleep(0.05)
    raise TimeoutError("jupyter-scheduler's server did not answer")


def _post(path: Path) -> str:
    environment = CLIENT.get("/scheduler/runtime_environments").json()[0]["name"]
    body = {"name": path.stem, "input_uri": path.name, "runtime_environment_name": environment}
    answered = CLIENT.post("/scheduler/jobs", json=body)
    answered.raise_for_status()
    return str(answered.json()["job_id"])


def _wait(job: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        # A job that has not begun may say STOPPED: that is the column's default, and no end.
        status = CLIENT.get(f"/scheduler/jobs/{job}").json()["status"]
        if status == "COMPLETED":
            return
        if status == "FAILED":
            raise RuntimeError("the job failed")
        time.sleep(_EVERY)
    raise TimeoutError(f"the job is still {status} after two minutes")


def _run(path: Path) -> float:
    began = time.perf_counter()
    _wait(_post(path))
    return time.perf_counter() - began


def _burst(jobs: int) -> float:
    began = time.perf_counter()
    for job in [_post(ONE_CELL) for _ in range(jobs)]:
        _wait(job)
    return time.perf_counter() - began


CLIENT = _serve()
answer(
    {
        "first_output": lambda: _run(ONE_CELL),
        "notebook": lambda: _run(FIVE_CELLS),
        "burst": lambda jobs: _burst(jobs),
    }
)
