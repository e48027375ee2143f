"""What a worker writes to an attempt's event log: one JSON object a line, in order.

An event's offset is the byte at which its line begins; `next` in an answer is the byte after the last
line that was given, and asking from there goes on without a gap. No line is longer than about 400 KB:
text is split, and larger values of a rich output lie in files beside the log, named by `FileValue`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.job import ResultItem
from jupyter_mlws.model.record import Record
from jupyter_mlws.model.status import JobStatus


class _Event(Record):
    t: float
    """Seconds since 1970, by the worker's clock."""


class AttemptBegan(_Event):
    """The worker's process is up."""

    type: Literal["attempt"] = "attempt"
    job: str
    attempt: int
    pid: int
    process_started: float
    host: str


class StatusChanged(_Event):
    """The attempt's status. A terminal one is the last event of the log."""

    type: Literal["status"] = "status"
    status: JobStatus
    error: ErrorInfo | None = None


class KernelStarted(_Event):
    """The kernel's process is up and answers."""

    type: Literal["kernel"] = "kernel"
    pid: int | None = None
    process_started: float | None = None
    language: str = "python"
    version: str = ""
    executable: str | None = None


class CellChanged(_Event):
    """A code cell began or ended: number `index` of all cells from 0, `position` of the code cells from 1."""

    type: Literal["cell"] = "cell"
    index: int
    position: int
    total: int
    state: Literal["running", "ok", "error", "skipped"]
    execution_count: int | None = None
    seconds: float | None = None


class Output(_Event):
    """One output, as nbformat 4 has it (`output_type` and its fields), or a change of earlier ones.

    Besides `stream`, `display_data`, `execute_result` and `error` there are `update_display_data` and
    `clear_output` (with `wait`), as in the kernel's protocol.
    """

    type: Literal["output"] = "output"
    cell: int
    output: dict[str, JsonValue]
    display_id: str | None = None


class FileValue(Record):
    """Stands in a rich output for a large value, which lies in `outputs/` of the attempt's folder."""

    file: str
    size: int


class Sample(_Event):
    """What the kernel and its children use: resident bytes, and CPU seconds since it started."""

    type: Literal["sample"] = "sample"
    memory: int
    cpu_seconds: float


class Message(_Event):
    """A sentence for the user about the run itself, not from the user's code."""

    type: Literal["message"] = "message"
    level: Literal["info", "warning", "error"] = "info"
    text: str


class Results(_Event):
    """What can be brought back, and what cannot."""

    type: Literal["results"] = "results"
    items: list[ResultItem]


class EnvironmentSeen(_Event):
    """The installed distributions of the kernel's interpreter, as requirement lines, sorted by name."""

    type: Literal["environment"] = "environment"
    python: str
    sha256: str
    packages: list[str]


LogEvent = Annotated[
    AttemptBegan
    | StatusChanged
    | KernelStarted
    | CellChanged
    | Output
    | Sample
    | Message
    | Results
    | EnvironmentSeen,
    Field(discriminator="type"),
]


class EventPage(Record):
    """A piece of an event log. `size` is the log's length in bytes now, `done` that nothing will follow.

    `done` speaks of the attempt: the job goes on where `newest` is greater, or `status` is not terminal.
    """

    attempt: int
    newest: int
    """Number of the job's newest attempt; 0 before the first."""
    status: JobStatus
    """The job's, as it was before the log was read: one that is terminal means that the log is whole."""
    offset: int
    next: int
    size: int
    done: bool
    events: list[LogEvent]


class Change(Record):
    """What the server emits on Jupyter's event stream: something changed, fetch it."""

    workspace: str
    noun: str
    id: str
    status: str | None = None
    offset: int | None = None
    sequence: int
