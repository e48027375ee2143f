"""A workspace whose server runs trivial jobs and is looked at: memory, descriptors, files, processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.crash.victims import living
from tests.fixtures.place import marked
from tests.fixtures.servers import RunningServer

_MB = 2**20


@dataclass(frozen=True)
class Look:
    """What is seen of a workspace when all its jobs have ended."""

    jobs: int
    rss: float
    uss: float
    """MB, of the Jupyter server."""
    descriptors: int
    threads: int
    kept: int
    """Files and folders of the jobs."""
    records: int
    """Files and folders of their runs in MLflow, which stay when a job is deleted."""
    others: int
    """Files and folders of the workspace besides."""
    runtime: int
    """Files and folders of the runtime folder."""
    database: float
    """MB, ours and MLflow's."""


def until(reached: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Return what `reached` gives once it is true. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not (found := reached()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.2)
    return found


class Workspace:
    """A server in a place of its own, and what is asked of it."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.process = psutil.Process(server.process.pid)
        self.ids: list[str] = []
        self._client = server.client()

    def run(self, jobs: int) -> float:
        """Run trivial jobs, all queued at once; return the seconds until the last one is complete."""
        began = time.perf_counter()
        for _ in range(jobs):
            spec = {
                "kind": "cell",
                "name": "trivial",
                "code": "print(1 + 1)",
                "folder": str(self.server.place.folder),
                "kernel": {"executable": sys.executable},
            }
            answer = self._client.post("/jobs", json=spec)
            answer.raise_for_status()
            self.ids.append(answer.json()["id"])
        until(self._have_ended, seconds=30 + 5 * jobs, what="the end of all jobs")
        took = time.perf_counter() - began
        unshipped = self.server.workspace / "mlflow" / "unshipped"
        until(lambda: not any(unshipped.iterdir()), seconds=120, what="all records in MLflow")
        counts = self._client.get("/status").json()["jobs"]
        if counts.get("Completed", 0) != len(self.ids):
            raise RuntimeError(f"not all jobs are Completed: {counts}")
        return took

    def forget(self) -> None:
        """Delete all jobs."""
        for id in self.ids:
            self._client.delete(f"/jobs/{id}").raise_for_status()
        self.ids.clear()
        until(lambda: self.look().kept == 0, seconds=120, what="the end of the jobs' folders")

    def look(self) -> Look:
        """Look at the server, its workspace and its runtime folder."""
        memory = self.process.memory_full_info()
        root = self.server.workspace
        kept, records = _entries(root / "jobs"), _entries(root / "mlflow" / "artifacts")
        databases = [path for path in root.rglob("*.db") if path.is_file()]
        return Look(
            jobs=len(self.ids),
            rss=memory.rss / _MB,
            uss=memory.uss / _MB,
            descriptors=self.process.num_fds(),
            threads=self.process.num_threads(),
            kept=kept,
            records=records,
            others=_entries(root) - kept - records,
            runtime=_entries(self.server.place.runtime),
            database=sum(path.stat().st_size for path in databases) / _MB,
        )

    def others(self) -> list[str]:
        """Return the names of the processes that live besides the server."""
        roles = {victim.process.pid: victim.role for victim in self._living()}
        return [
            roles.get(process.pid) or " ".join(process.cmdline()[:4])
            for process in marked(self.server.place.root)
            if process.pid != self.process.pid
        ]

    def mlflow(self) -> tuple[int, float, float]:
        """Return how many processes MLflow's server has, their RSS and their PSS in MB."""
        (one,) = [victim.process for victim in self._living() if victim.role == "mlflow"]
        all_of_it = [one, *one.children(recursive=True)]
        seen = [process.memory_full_info() for process in all_of_it]
        return len(seen), sum(each.rss for each in seen) / _MB, sum(each.pss for each in seen) / _MB

    def spare(self) -> tuple[float, float, float]:
        """Return the USS in MB of a kernel that waits, of its keeper, and of what both are forked from."""
        for victim in self._living():
            if victim.role == "kernel fork server":
                for keeper in victim.process.children():
                    for kernel in keeper.children():
                        return uss(kernel), uss(keeper), uss(victim.process)
        raise RuntimeError("no kernel waits")

    def _living(self) -> list[Any]:
        place = self.server.place
        return living(self.process, workspace=place.workspace, runtime=place.runtime)

    def _have_ended(self) -> bool:
        counts = self._client.get("/status").json()["jobs"]
        return not any(counts.get(status, 0) for status in ("Queued", "Preparing", "Running", "Finalizing"))


def uss(process: psutil.Process) -> float:
    """Return the memory in MB that is a process's alone."""
    return float(process.memory_full_info().uss) / _MB


def _entries(folder: Path) -> int:
    """Count the files and folders below a folder."""
    found = 0
    for _, folders, files in os.walk(folder):
        found += len(folders) + len(files)
    return found
