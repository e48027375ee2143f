"""What a worker is asked to do: `task.json` in the folder of its attempt."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.forking import Forking
from jupyter_mlws.model.job import JobSpec
from jupyter_mlws.model.record import Record


class Task(Record):
    """One attempt at one job. Paths are absolute: the scheduler resolves them when it writes the task."""

    job: str
    """The job's id: what the worker rings the doorbell with."""
    attempt: Annotated[int, Field(ge=1)]
    spec: JobSpec
    cwd: str
    """The folder in which the kernel starts."""
    notebook: str | None = None
    """The .ipynb to run, for a notebook job."""
    script: str | None = None
    """The .py file to run, for a script job."""
    inputs: str | None = None
    """The pack of captured variables."""
    doorbell: str | None = None
    """Datagram socket that is told whenever the event log has grown."""
    tracking: bool = False
    """Whether there is a `tracking.json` for the job's code."""
    environment: dict[str, str] = {}
    """Variables for the kernel besides those of the worker, such as CUDA_VISIBLE_DEVICES."""
    forking: Forking | None = None
    """Where kernels are forked; None where each is started anew."""
    nice: Annotated[int, Field(ge=0, le=19)] = 0
    """Niceness of worker and kernel once the job has run for a second."""
    grace: Annotated[float, Field(ge=0)] = 5.0
    """Seconds between interrupt, terminate and kill."""
