"""Where the time of a first output went: the moments that a job leaves behind, in order.

They are in the notebook's clock, in the job's record, in the files of its attempt and in its event log, all
by the clock of one machine. A file's moment is when it was last written.
"""

from __future__ import annotations

from pathlib import Path

from notebook_shell import Ran

from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.events import AttemptBegan, CellChanged, KernelStarted, LogEvent, Output


def moments(ran: Ran, *, workspace: Path) -> dict[str, float]:
    """Return seconds since 1970 by what was reached then, from the notebook to the notebook."""
    files = AttemptFiles(workspace / "jobs" / ran.job.id / "attempts" / "1")
    return {
        "the cell starts in the notebook": ran.submitted,
        "magic, client and REST: the job has its record": ran.job.record.created_at.timestamp(),
        "the leader sees it and chooses it: its attempt has a record": _created(ran),
        "its folder, the beginning of its run, where to log": _written(files.tracking),
        "its task is written": _written(files.task),
        "its worker is forked and takes it": _written(files.claim),
        "the worker opens the log": _first(ran.events, AttemptBegan),
        "the worker has a kernel, which answers": _first(ran.events, KernelStarted),
        "the kernel is prepared: variables, MLflow, the cell begins": _first(ran.events, CellChanged),
        "the cell runs: its first output is logged": _first(ran.events, Output),
        "leader, event stream and client: the notebook has it": ran.seen,
    }


def _created(ran: Ran) -> float:
    return ran.job.attempts()[0].created_at.timestamp()


def _written(file: Path) -> float:
    return file.stat().st_mtime


def _first(events: list[LogEvent], kind: type) -> float:
    return next(event.t for event in events if isinstance(event, kind))
