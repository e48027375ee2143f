"""The processes of a workspace by the parts that they play, to be killed in tests."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from jupyter_mlws.processes.identity import process_start
from jupyter_mlws.tracking.address import read_record

ROLES = ("server", "worker", "kernel", "keeper", "worker fork server", "kernel fork server", "mlflow")


@dataclass(frozen=True)
class Victim:
    """A living process."""

    role: str
    process: psutil.Process
    job: str | None = None
    """The job that dies with it; None for what serves all."""

    def __str__(self) -> str:
        return f"{self.role} of {self.job}" if self.job else self.role


def living(server: psutil.Process, *, workspace: Path, runtime: Path) -> list[Victim]:
    """Return all that lives of a workspace now. `runtime` is the XDG_RUNTIME_DIR of the test's place."""
    found = [Victim("server", server)]
    for attempt in workspace.glob("jobs/*/attempts/*"):
        found += _of_attempt(attempt)
    for folder in fork_servers(runtime):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int((folder / "lock").read_text()))
            if str(folder) in process.cmdline():
                kernels = any("kernel_child" in word for word in process.cmdline())
                found.append(Victim(f"{'kernel' if kernels else 'worker'} fork server", process))
    record = read_record(workspace / "mlflow" / "server.json")
    if record is not None and record.process is not None:
        found.append(Victim("mlflow", psutil.Process(record.process.pid)))
    return [victim for victim in found if _lives(victim.process)]


def fork_servers(runtime: Path) -> list[Path]:
    """Return the folders of the fork servers."""
    return list(runtime.glob("mlws/*/fork-*"))


def _of_attempt(folder: Path) -> Iterator[Victim]:
    job = folder.parent.parent.name
    with contextlib.suppress(OSError, ValueError, KeyError, psutil.Error):
        known = json.loads((folder / "process.json").read_bytes())
        worker = psutil.Process(known["pid"])
        if process_start(worker.pid) != known["process_started"]:
            return
        yield Victim("worker", worker, job)
    with contextlib.suppress(OSError, ValueError, KeyError, psutil.Error):
        for line in (folder / "events.jsonl").read_bytes().split(b"\n")[:-1]:
            event = json.loads(line)
            if event["type"] == "kernel" and event["pid"] is not None:
                kernel = psutil.Process(event["pid"])
                if process_start(kernel.pid) != event["process_started"]:
                    return
                yield Victim("kernel", kernel, job)
                parent = kernel.parent()
                if parent is not None and parent.name() == "mlws-keeper":
                    yield Victim("keeper", parent, job)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
