"""What can be asked of any job besides what it runs, as the caller writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import ValidationError

from jupyter_mlws.client import quantities
from jupyter_mlws.model import parameters as typed
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.job import (
    Inputs,
    JobKind,
    JobSpec,
    KernelChoice,
    Origin,
    Priority,
    Resources,
)
from jupyter_mlws.model.parameters import Parameter

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PriorityWord: TypeAlias = Literal["low", "medium", "high"]

_LONGEST_NAME = 255


class JobInvalid(Invalid):
    """A job was described with a value that no job can have."""

    code = "job_invalid"


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """Options of a submission; see `Jobs.submit` for their meanings and units."""

    name: str | None = None
    experiment: str = "Default"
    compute: str = "local"
    parameters: Mapping[str, object] | None = None
    timeout: str | float | None = None
    retries: int = 0
    cpus: float = 1
    memory: str | int | None = None
    gpus: int = 0
    priority: str = "medium"
    snapshot: bool | None = None
    kernel: str | None = None
    client: str = "python"
    """Which door it came through."""


def specify(
    options: JobOptions,
    *,
    kind: JobKind,
    name: str,
    kernel: KernelChoice,
    origin: Origin,
    code: str | None = None,
    notebook: str | None = None,
    path: str | None = None,
    folder: str | None = None,
    inputs: Inputs | None = None,
    outputs: list[str] | None = None,
) -> JobSpec:
    """Return the job that is asked for. Raises `JobInvalid`, `ParameterInvalid` or `QuantityInvalid`."""
    values = checked_parameters(options.parameters)
    try:
        return JobSpec(
            kind=kind,
            name=_readable(name) if options.name is None else options.name,
            experiment=options.experiment,
            compute=options.compute,
            kernel=chosen_kernel(options.kernel) or kernel,
            code=code,
            notebook=notebook,
            path=path,
            folder=folder,
            snapshot=options.snapshot,
            parameters={key: typed.to_json(value) for key, value in values.items()},
            inputs=inputs,
            outputs=outputs,
            resources=Resources(
                cpus=options.cpus,
                memory=None if options.memory is None else quantities.size(options.memory),
                gpus=options.gpus,
            ),
            timeout=None if options.timeout is None else quantities.duration(options.timeout),
            retries=options.retries,
            priority=Priority(options.priority),
            origin=origin,
        )
    except ValidationError as error:
        raise refused(error) from None
    except ValueError:
        raise JobInvalid(
            f"The priority {options.priority!r} does not exist.", hint="It is low, medium or high."
        ) from None


def _readable(name: str) -> str:
    """Return a default name (a file's, a function's) as a name may be."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", name).strip()[:_LONGEST_NAME] or "job"


def checked_parameters(parameters: Mapping[Any, object] | None) -> dict[str, Parameter]:
    """Return parameters as plain values. Raises `JobInvalid` or `ParameterInvalid`."""
    for name in parameters or {}:
        if not isinstance(name, str):
            raise JobInvalid(
                f"The parameter {str(name)[:100]} has a name of type {type(name).__name__}.",
                hint="Names are texts, for example parameters={'depth': 6}.",
            )
    return typed.check(parameters or {})


def refused(error: ValidationError) -> JobInvalid:
    """Return what a failed validation means, in a sentence with the value in it."""
    first = error.errors()[0]
    field = ".".join(part for part in first["loc"] if isinstance(part, str))
    value = first["input"]
    text = repr(value)
    length = len(value) if isinstance(value, str) else len(text)
    shown = text if len(text) <= 100 else text[:100] + f"… ({length:,} characters)"
    message, hint = _in_words(first, field)
    return JobInvalid(f"The {field or 'job'} {shown} is not valid: {message}.", hint=hint)


def _in_words(found: ErrorDetails, field: str) -> tuple[str, str | None]:
    """Return what is wrong with a value, in words, and what to do where that is not plain from it."""
    limits = found.get("ctx") or {}
    match found["type"]:
        case "string_too_long":
            return f"it is longer than {limits['max_length']} characters", "Give a shorter one."
        case "string_too_short":
            return "it is empty", "Give at least one character."
        case "string_pattern_mismatch" if field in ("name", "experiment", "compute"):
            return "it holds a line break or another control character", "Write it on one line."
        case "greater_than_equal" if field.endswith("memory"):
            least = int(limits["ge"])
            return f"it is less than {least // 2**20} MB", "Write for example 512M or 4G."
    message = found["msg"].removeprefix("Value error, ")
    return message[0].lower() + message[1:], None


def chosen_kernel(kernel: str | None) -> KernelChoice | None:
    """Return the kernel that the caller named: a kernelspec, or the path of a Python."""
    if kernel is None:
        return None
    return KernelChoice(executable=kernel) if "/" in kernel else KernelChoice(name=kernel)
