"""The noun `job`: what is asked for (`JobSpec`), and how it stands (`Job`, `Attempt`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self, cast

from pydantic import Field, JsonValue, StringConstraints, field_validator, model_validator

from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.parameters import Parameter, ParameterInvalid, check_name, from_json, to_json
from jupyter_mlws.model.record import Moment, Record
from jupyter_mlws.model.status import JobStatus, Wanted

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
"""A name that people read: 1 to 255 characters, any script, no control characters. Never used as a path."""
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
"""The SHA-256 of a blob's bytes, in lower-case hexadecimal."""


class JobKind(StrEnum):
    """What a job runs."""

    CELL = "cell"
    NOTEBOOK = "notebook"
    SCRIPT = "script"
    FUNCTION = "function"


class Priority(StrEnum):
    """Order in the queue, as in Azure Machine Learning."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class KernelChoice(Record):
    """Which kernel runs the job: the Python at `executable`, or the kernelspec called `name`."""

    name: str | None = None
    executable: str | None = None


class Resources(Record):
    """What one job takes of its compute."""

    cpus: Annotated[float, Field(gt=0, le=4096)] = 1
    memory: Annotated[int, Field(ge=16 * 2**20)] | None = None
    """Bytes; over it the job is ended. None: no limit."""
    gpus: Annotated[int, Field(ge=0, le=64)] = 0


class InputItem(Record):
    """One captured variable: its name, type, size in bytes as packed, and hash."""

    name: str
    type: str
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Inputs(Record):
    """The captured variables of a cell: one blob holds them all, so that shared objects stay shared."""

    blob: Sha256
    size: Annotated[int, Field(ge=0)]
    items: list[InputItem] = []


class Origin(Record):
    """Where a job was submitted from; for the reader, nothing depends on it."""

    notebook: str | None = None
    cell_id: str | None = None
    kernel_id: str | None = None
    client: str | None = None


class JobSpec(Record):
    """What a user asks for. Kept as it was accepted, so that a job can be run again exactly."""

    kind: JobKind
    name: Name
    experiment: Name = "Default"
    compute: Name = "local"
    kernel: KernelChoice = KernelChoice()
    code: str | None = None
    """The source of a cell."""
    notebook: Sha256 | None = None
    """The blob with the notebook's JSON (UTF-8) as it was on the screen."""
    path: str | None = None
    """File name of the notebook or script, relative to `folder`."""
    folder: str | None = None
    """The live folder, absolute: where the notebook or the script lies."""
    snapshot: bool | None = None
    """Whether to run in a copy of the folder as it was at submission; None: notebooks and scripts do."""
    parameters: dict[str, JsonValue] = {}
    """Values as `model.parameters.to_json` writes them."""
    inputs: Inputs | None = None
    outputs: list[str] | None = None
    """Names to bring back. None or empty: nothing is kept."""
    resources: Resources = Resources()
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Seconds of running, after which the job is ended as failed. None: no limit."""
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    priority: Priority = Priority.MEDIUM
    origin: Origin = Origin()
    environment: Sha256 | None = None
    """The blob with the lock of the packages to run with (`environments.lock`); None: those of `kernel`."""
    rerun_of: str | None = None
    """The job that this one repeats."""

    @field_validator("parameters")
    @classmethod
    def _names_are_identifiers(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name in parameters:
            try:
                check_name(name)
            except ParameterInvalid as error:
                raise ValueError(error.message) from error
        # Written anew, so that what JSON or a browser would lose (1e999, digits beyond 2**53) is tagged.
        return {name: cast("JsonValue", to_json(from_json(value))) for name, value in parameters.items()}

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needs = {
            JobKind.CELL: ("code",),
            JobKind.NOTEBOOK: ("notebook",),
            JobKind.SCRIPT: ("path", "folder"),
            JobKind.FUNCTION: ("inputs",),
        }[self.kind]
        missing = [field for field in needs if getattr(self, field) is None]
        if missing:
            raise ValueError(f"a {self.kind} job needs {' and '.join(missing)}")
        return self

    @property
    def in_snapshot(self) -> bool:
        """Whether the job runs in a copy of its folder."""
        if self.snapshot is None:
            return self.kind in (JobKind.NOTEBOOK, JobKind.SCRIPT)
        return self.snapshot

    @property
    def values(self) -> dict[str, Parameter]:
        """The parameters as Python values."""
        return {name: from_json(value) for name, value in self.parameters.items()}


class ResultItem(Record):
    """One name that the job assigned: either it can be fetched, or `error` says why not."""

    name: str
    type: str
    size: Annotated[int, Field(ge=0)] | None = None
    """Bytes as packed; None when it could not be kept."""
    sha256: Sha256 | None = None
    preview: str | None = None
    """A short text for people, such as `DataFrame 7,043 × 21`."""
    error: str | None = None


class Attempt(Record):
    """One try at a job, with a folder of its own."""

    number: Annotated[int, Field(ge=1)]
    status: JobStatus
    folder: str
    """Relative to the workspace."""
    pid: int | None = None
    process_started: float | None = None
    """Start time of the worker (see `processes.identity`): pid and this name a process."""
    kernel_pid: int | None = None
    kernel_process_started: float | None = None
    gpus: list[int] = []
    """Numbers of the devices it was given."""
    created_at: Moment
    started_at: Moment | None = None
    ended_at: Moment | None = None
    error: ErrorInfo | None = None


class Job(Record):
    """A job as it stands."""

    id: str
    spec: JobSpec
    status: JobStatus
    wanted: Wanted = Wanted.RUN
    attempt: int = 0
    """Number of the newest attempt; 0 before the first."""
    created_by: str
    created_at: Moment
    started_at: Moment | None = None
    """When the user's code began, in the newest attempt."""
    ended_at: Moment | None = None
    seconds: float = 0.0
    """Seconds that the user's code ran up to the last change, over all attempts; what is paid for."""
    price_per_hour: float = 0.0
    """US dollars, fixed when the job was accepted."""
    cost: float = 0.0
    """US dollars: seconds / 3600 * price_per_hour."""
    message: str | None = None
    """What it waits for or does just now, in words."""
    cells_done: int = 0
    cells_total: int = 0
    offset: int = 0
    """Bytes of the newest attempt's event log that the record takes account of."""
    run_id: str | None = None
    """MLflow run."""
    metrics: dict[str, float | None] = {}
    """Latest value of each metric in the MLflow run; None stands for NaN."""
    results: list[ResultItem] = []
    memory_peak: int | None = None
    """Largest memory use seen, in bytes."""
    has_snapshot: bool = False
    environment: Sha256 | None = None
    """The blob with the lock of the packages that it ran with; None until it was seen."""
    error: ErrorInfo | None = None


class JobPage(Record):
    """A page of jobs, newest first; `next` is the cursor of the following page, None at the end."""

    jobs: list[Job]
    next: str | None = None
    total: int
    """Number of jobs that match the filter, over all pages."""


class JobPatch(Record):
    """What may be changed of a job that waits."""

    name: Name | None = None
    priority: Priority | None = None


class Rerun(Record):
    """Run a job again exactly as it was, but for what is given here."""

    name: Name | None = None
    parameters: dict[str, JsonValue] | None = None
    """Merged over those of the original."""
    compute: Name | None = None
    resources: Resources | None = None
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    retries: Annotated[int, Field(ge=0, le=100)] | None = None
    priority: Priority | None = None
