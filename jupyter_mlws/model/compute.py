"""The noun `compute`: where workers come from, what it holds, and what it guarantees."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, field_validator

from jupyter_mlws.model.compute_address import LONGEST_URL, read_address
from jupyter_mlws.model.job import Name
from jupyter_mlws.model.record import Moment, Record

LOCAL = "local"
"""The compute that every workspace has: this machine. The name is taken."""

ComputeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""1 to 64 letters, digits, `.`, `_` and `-`, not starting with a sign: it stands on command lines."""
_Slots = Annotated[int, Field(ge=1, le=10_000)]
_Price = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
_Url = Annotated[str, Field(max_length=LONGEST_URL, repr=False)]


class Guarantees(Record):
    """What a compute promises; its contract suite holds it to that."""

    memory_limit: bool
    """Whether a job is ended when it takes more memory than it asked for."""
    kill: bool
    """Whether all processes of a job end with it, whatever they do against it."""
    survives_server: bool
    """Whether a job goes on while no server of the workspace runs."""
    live_folder: bool
    """Whether a job can run in the notebook's own folder."""
    output_rate: Annotated[float, Field(gt=0)] | None = None
    """Bytes of output a second above which some is lost. None: none is."""


class Capacity(Record):
    """What a compute holds, or what of it is in use."""

    cpus: Annotated[float, Field(ge=0)]
    memory: Annotated[int, Field(ge=0)]
    """Bytes."""
    gpus: Annotated[int, Field(ge=0)] = 0
    slots: Annotated[int, Field(ge=0)] | None = None
    """Jobs at once, of a compute that counts jobs and nothing else. None: it counts what stands above."""


class ComputeSpec(Record):
    """A compute that a user made. It holds no token: that lies in a file of its own."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: ComputeName
    type: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    url: Annotated[str, Field(max_length=LONGEST_URL)]
    """Address of the server, base URL included, without a slash at the end."""
    slots: _Slots = 1
    """Jobs at once."""
    price_per_hour: _Price = 0.0
    """US dollars for an hour of one job."""
    kernel: Name | None = None
    """The kernelspec there that a job runs with when it names none. None: the server's own default."""

    @field_validator("url")
    @classmethod
    def _has_no_secret(cls, url: str) -> str:
        if read_address(url) != (url, None):
            raise ValueError("it is not as read_address writes it")
        return url


class ComputeCreate(Record):
    """Ask for a compute; its name is in the path. The same again changes nothing."""

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Annotated[str, StringConstraints(max_length=64)]
    url: _Url
    """Address of the server. A token in it (`?token=`) is taken out and kept as the token."""
    token: Annotated[
        str | None,
        Field(max_length=4096, repr=False, json_schema_extra={"format": "password", "writeOnly": True}),
    ] = None
    """What opens the server; never shown. None: as it is, while the URL stays the same. Empty: none."""
    slots: _Slots = 1
    """Jobs at once."""
    price_per_hour: _Price = 0.0
    """US dollars for an hour of one job."""
    kernel: Name | None = None
    """The kernelspec there that a job runs with when it names none."""
    check: bool = True
    """Whether to refuse it when the server cannot be used now."""


class ComputeCheck(Record):
    """What a look at a compute found."""

    reachable: bool
    """Whether a job could run there now, as far as can be told without one."""
    server: str | None = None
    """What answered, such as `Jupyter Server 2.21`."""
    kernels: list[str] = []
    """Names of the kernelspecs there."""
    python: str | None = None
    """Version of Python that jobs run with, where it is told."""
    latency: Annotated[float, Field(ge=0)] | None = None
    """Seconds that an answer took."""
    message: str | None = None
    """What is wrong and what to do, in a sentence."""


class ComputeState(StrEnum):
    """What was last known of a compute; a list does not look anew."""

    READY = "ready"
    UNREACHABLE = "unreachable"
    UNCHECKED = "unchecked"


class Compute(Record):
    """A compute as it stands."""

    name: Name
    type: str
    state: ComputeState = ComputeState.READY
    url: str | None = None
    """Address of the server, without its token."""
    has_token: bool = False
    kernel: str | None = None
    """The kernelspec that a job runs with when it names none."""
    capacity: Capacity
    in_use: Capacity
    price_per_hour: float
    """US dollars for an hour of one job."""
    guarantees: Guarantees
    jobs_running: int = 0
    jobs_queued: int = 0
    check: ComputeCheck | None = None
    """What the last look found."""
    checked_at: Moment | None = None
    created_by: str | None = None
    created_at: Moment | None = None
