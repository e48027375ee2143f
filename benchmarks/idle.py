"""What a workspace costs when nothing runs, and what is left of jobs that have ended.

A Jupyter server with the extension runs trivial jobs, one batch after the other, and is looked at after each:
its memory, descriptors and threads, the files of the workspace and of the runtime folder. Besides: the memory
of MLflow's server, that of a forked kernel which waits beside a cold one with the same imports, and which
processes live once nothing runs. `python benchmarks/idle.py [--jobs N]`; `--write` puts the tables into
README.md.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import psutil
from goals import record
from jupyter_client.manager import start_new_kernel
from report import arguments, machine, parsed

from jupyter_mlws.model.forking import PRELOAD
from tests.crash.victims import living
from tests.fixtures.place import a_place, marked
from tests.fixtures.servers import RunningServer, launch

IDLE = 5.0
"""Seconds after which the servers end that nobody needs; 300 unless it is set."""
BATCHES = 10
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
                        return _uss(kernel), _uss(keeper), _uss(victim.process)
        raise RuntimeError("no kernel waits")

    def _living(self) -> list[Any]:
        place = self.server.place
        return living(self.process, workspace=place.workspace, runtime=place.runtime)

    def _have_ended(self) -> bool:
        counts = self._client.get("/status").json()["jobs"]
        return not any(counts.get(status, 0) for status in ("Queued", "Preparing", "Running", "Finalizing"))


def _uss(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / _MB


def _entries(folder: Path) -> int:
    """Count the files and folders below a folder."""
    found = 0
    for _, folders, files in os.walk(folder):
        found += len(folders) + len(files)
    return found


def cold_kernel() -> float:
    """Return the USS in MB of a plain kernel that has imported what a forked one has."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        code = "\n".join(f"import {name}" for name in PRELOAD)
        reply = client.execute_interactive(code, timeout=120, output_hook=lambda message: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the cold kernel cannot import: {reply['content']}")
        return _uss(psutil.Process(manager.provisioner.pid))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def a_job(looks: list[Look], name: str) -> float:
    """Return how much a number grew with each job: from the first look to the last."""
    first, last = looks[0], looks[-1]
    return float(getattr(last, name) - getattr(first, name)) / (last.jobs - first.jobs)


def growth(looks: list[Look]) -> dict[str, float]:
    """Return how the server grew beyond what it keeps of jobs, as the goals have it.

    Memory is that of the second half: in the first one caches still fill. The rest is counted from the first
    batch on: before it what is forked from was not all there.
    """
    first, last = looks[1], looks[-1]
    return {
        "growth_memory_kb": 1024 * a_job(looks[len(looks) // 2 :], "uss"),
        "growth_descriptors": last.descriptors - first.descriptors,
        "growth_files": last.others + last.runtime - first.others - first.runtime,
    }


def grown(looks: list[Look], left: Look) -> str:
    """Return what jobs leave behind as a Markdown table."""
    columns = (
        ("rss", "RSS, MB", ".1f"),
        ("uss", "USS, MB", ".1f"),
        ("descriptors", "descriptors", "d"),
        ("threads", "threads", "d"),
        ("kept", "files and folders of the jobs", ",d"),
        ("records", "of their runs in MLflow", ",d"),
        ("others", "others in the workspace", ",d"),
        ("runtime", "in the runtime folder", "d"),
        ("database", "databases, MB", ".1f"),
    )
    lines = [
        f"| jobs that have ended | {' | '.join(title for _, title, _ in columns)} |",
        f"|---:{'|---:' * len(columns)}|",
    ]
    shown = [looks[0], *looks[len(looks) // 2 : len(looks) // 2 + 1], looks[-1]]
    for name, look in [*((f"{look.jobs:,}", look) for look in shown), ("all deleted", left)]:
        cells = [format(getattr(look, key), form) for key, _, form in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    growth = [f"{a_job(looks, key):.4f}" for key, _, _ in columns]
    lines.append(f"| a job, from the first row to the third | {' | '.join(growth)} |")
    return "\n".join(lines)


def measure(jobs: int) -> tuple[str, dict[str, float]]:
    """Return the report as Markdown, and the figures that the goals speak of."""
    with a_place() as place:
        os.environ.update(place.environment)
        options = [f"--MlwsApp.{name}_idle_seconds={IDLE}" for name in ("fork", "mlflow")]
        server = launch(place, arguments=options, sparing=False)
        try:
            workspace = Workspace(server)
            begun = workspace.others()
            workspace.run(20)  # what is imported and opened once
            until(lambda: _waits(workspace), seconds=60, what="a kernel that waits")
            kernel, keeper, forked_from = workspace.spare()
            cold = cold_kernel()
            looks, seconds = [workspace.look()], 0.0
            for number in range(BATCHES):
                seconds += workspace.run(jobs * (number + 1) // BATCHES - jobs * number // BATCHES)
                looks.append(workspace.look())
                print(looks[-1], file=sys.stderr)
            processes, rss, pss = workspace.mlflow()
            began = time.monotonic()
            until(lambda: not workspace.others(), seconds=120, what=f"the end of {workspace.others()}")
            ended = time.monotonic() - began
            workspace.forget()
            left = workspace.look()
        finally:
            server.stop()
    figures = {
        "kernel_ratio": (kernel + keeper) / cold,
        "mlflow_mb": pss,
        "processes_at_start": len(begun),
        "processes_idle": 0,  # else their end would not have come
        **growth(looks),
    }
    text = "\n".join(
        [
            f"{jobs:,} trivial jobs in {BATCHES} batches, {jobs / seconds:.1f} a second:",
            "",
            grown(looks, left),
            "",
            "| | measured | goal |",
            "|---|---:|---:|",
            f"| processes besides the Jupyter server's, after its start | {len(begun)} | 0 |",
            f"| the same {ended:.0f} s after the last job (idle times of {IDLE:.0f} s) | 0 | 0 |",
            f"| MLflow's server after these jobs: PSS of its {processes} process, MB (RSS {rss:.0f}) "
            f"| {pss:.0f} | 300 |",
            f"| forked kernel that waits: USS, MB (its keeper {keeper:.1f}) | {kernel:.1f} | |",
            f"| cold kernel with the same imports: USS, MB | {cold:.1f} | |",
            f"| forked beside cold, keeper included | {(kernel + keeper) / cold:.2f} | 0.33 |",
            f"| what all of them are forked from, once: USS, MB | {forked_from:.1f} | |",
        ]
    )
    return text, figures


def _waits(workspace: Workspace) -> bool:
    with contextlib.suppress(RuntimeError, psutil.Error, httpx.HTTPError):
        return bool(workspace.spare())
    return False


def main() -> None:
    """Run from the command line."""
    parser = arguments(__doc__, quick="100 jobs")
    parser.add_argument("--jobs", type=int, default=5000, help="trivial jobs (default 5000)")
    options = parsed(parser, name="idle", fixed=["jobs"])
    where = machine()
    table, figures = measure(100 if options.quick else options.jobs)
    text = f"{table}\n\n{where}."
    print(text)
    if options.write:
        record("idle", text, figures, where=where)


if __name__ == "__main__":
    main()
