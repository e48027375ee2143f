"""A notebook's shell in this process: cells with `%%mlws submit`, and what is then seen of their jobs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from IPython.core.interactiveshell import InteractiveShell

from jupyter_mlws.client.job import Job
from jupyter_mlws.model.events import LogEvent, Output
from jupyter_mlws.model.status import JobStatus

TRIVIAL = "print(1 + 1)"
TABLE = "print(len(table))"
_ROWS, _COLUMNS = 125_000, 10  # of 8 bytes: 10 MB


@dataclass(frozen=True)
class Ran:
    """A cell that ran as a job, as the notebook saw it."""

    job: Job
    seconds: float
    """From the cell's start to the first output."""
    submitted: float
    """Seconds since 1970 when the cell started."""
    seen: float
    """Seconds since 1970 when the first output was seen."""
    events: list[LogEvent]


class NotebookShell:
    """IPython's shell with the magics loaded. Its jobs' folder is the current one of this process."""

    def __init__(self) -> None:
        # `display` shows in the shell that is the process's one.
        self._shell: Any = InteractiveShell.instance()
        self.cell("%load_ext jupyter_mlws")

    def cell(self, source: str) -> None:
        """Run a cell as a notebook does. Raises what it raises."""
        self._shell.run_cell(source).raise_error()

    def submit(self, code: str) -> Ran:
        """Run `code` as a job by the magic, and wait until it has ended, with its record.

        Raises `RuntimeError` when it gave no output or did not complete.
        """
        submitted, began = time.time(), time.perf_counter()
        self.cell(f"%%mlws submit --name t --job job\n{code}")
        job: Job = self._shell.user_ns["job"]
        events: list[LogEvent] = []
        seconds, seen = 0.0, 0.0
        for event in job.events():
            if not seen and isinstance(event, Output):
                seconds, seen = time.perf_counter() - began, time.time()
            events.append(event)
        job.wait(60)
        if not seen or job.record.status is not JobStatus.COMPLETED:
            raise RuntimeError(f"the job ended {job.record.status}, output {bool(seen)}: {job.record.error}")
        return Ran(job, seconds, submitted, seen, events)

    def new_table(self, seed: int) -> None:
        """Give the notebook another `table` of 10 MB, none of which the server has seen before."""
        values = np.random.default_rng(seed).random((_ROWS, _COLUMNS))
        self._shell.push({"table": pd.DataFrame(values, columns=[f"c{n}" for n in range(_COLUMNS)])})
