"""A Python function with its arguments becomes a job; what it returns is the result called `result`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlws.client import origin
from jupyter_mlws.client.cell_job import notebook_variables
from jupyter_mlws.client.options import JobOptions, specify
from jupyter_mlws.client.prepared import Prepared, packed
from jupyter_mlws.model.job import JobKind, KernelChoice

RESULT = "result"
"""The name under which a function's return value is kept."""
_PARTS = {"function": "__mlws_function__", "args": "__mlws_args__", "kwargs": "__mlws_kwargs__"}


def prepare_function(
    function: Callable[..., Any],
    *,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    options: JobOptions,
) -> Prepared:
    """Return the job that calls `function(*args, **kwargs)`.

    Raises `CannotCapture` when the function or an argument cannot be sent, before anything is sent.
    """
    from jupyter_mlws.capture.packing import CannotCapture

    variables = dict(zip(_PARTS.values(), (function, tuple(args), dict(kwargs)), strict=True))
    try:
        inputs, blob = packed(variables, namespace=notebook_variables())
    except CannotCapture as error:
        error.message = _in_words(error.message)
        raise
    spec = specify(
        options,
        kind=JobKind.FUNCTION,
        name=_name(function),
        kernel=KernelChoice(executable=sys.executable),
        origin=origin.here(options.client),
        folder=str(Path.cwd()),
        inputs=inputs,
        outputs=[RESULT],
    )
    return Prepared(spec, [blob])


def _name(function: Callable[..., Any]) -> str:
    inner = getattr(function, "func", function)  # functools.partial
    name = getattr(inner, "__name__", type(inner).__name__)
    return "lambda" if name == "<lambda>" else str(name)


def _in_words(message: str) -> str:
    for word, internal in _PARTS.items():
        message = message.replace(internal, word)
    return message
