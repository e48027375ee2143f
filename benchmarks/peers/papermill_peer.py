"""papermill as its users run it: the command line, a process a job; first output by `--log-output`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from protocol import AT_ONCE, FIVE_CELLS, ONE_CELL, answer


def _run(path: Path) -> tuple[float, float]:
    """Return the seconds until the output of the first cell is printed, and to the end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "papermill", "--log-output", "--no-progress-bar"),
            *(str(path), f"{folder}/out.ipynb"),
        ]
        began = time.perf_counter()
        first = 0.0
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        assert process.stdout is not None
        for line in process.stdout:
            if not first and line.strip() == "2":
                first = time.perf_counter() - began
        if process.wait():
            raise RuntimeError(f"papermill ended with {process.returncode}")
        return first, time.perf_counter() - began


def _burst(jobs: int) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: _run(ONE_CELL), range(jobs)))
    return time.perf_counter() - began


answer(
    {
        "first_output": lambda: _run(ONE_CELL)[0],
        "notebook": lambda: _run(FIVE_CELLS)[1],
        "burst": lambda jobs: _burst(jobs),
    }
)
