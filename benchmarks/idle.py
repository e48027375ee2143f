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
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import psutil
from goals import record
from jupyter_client.manager import start_new_kernel
from looked_at import Look, Workspace, until, uss
from report import arguments, machine, parsed

from jupyter_mlws.model.forking import PRELOAD
from tests.fixtures.place import a_place
from tests.fixtures.servers import launch

IDLE = 5.0
"""Seconds after which the servers end that nobody needs; 300 unless it is set."""
BATCHES = 10


def cold_kernel() -> float:
    """Return the USS in MB of a plain kernel that has imported what a forked one has."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        code = "\n".join(f"import {name}" for name in PRELOAD)
        reply = client.execute_interactive(code, timeout=120, output_hook=lambda message: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the cold kernel cannot import: {reply['content']}")
        provisioner: Any = manager.provisioner
        return uss(psutil.Process(provisioner.pid))
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
