"""Tells what was submitted: a notebook, a script, or a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from jupyter_mlws.client.function_job import prepare_function
from jupyter_mlws.client.notebook_job import prepare_notebook
from jupyter_mlws.client.options import JobInvalid, JobOptions
from jupyter_mlws.client.prepared import Prepared
from jupyter_mlws.client.script_job import prepare_script

Target: TypeAlias = "str | os.PathLike[str] | Callable[..., Any]"


def prepare(
    target: Target,
    *,
    args: Sequence[object],
    kwargs: Mapping[str, object] | None,
    options: JobOptions,
    inputs: Mapping[str, object] | None,
    outputs: Sequence[str] | None,
) -> Prepared:
    """Return the job that runs `target`. Raises the errors of its kind, before anything is sent."""
    if isinstance(target, (str, os.PathLike)):
        path = Path(target)
        if args or kwargs:
            raise JobInvalid(
                f"{path.name} takes no arguments.", hint="Pass values by name: parameters={'depth': 6}."
            )
        if path.suffix == ".ipynb":
            return prepare_notebook(path, options=options, inputs=inputs, outputs=outputs)
        if path.suffix == ".py":
            return prepare_script(path, options=options, inputs=inputs, outputs=outputs)
        raise JobInvalid(
            f"{str(path)[:200]!r} is neither a notebook (.ipynb) nor a script (.py).",
            hint="Submit a path that ends in one of these, or a function.",
        )
    if not callable(target):
        raise JobInvalid(
            f"Something of type {type(target).__name__} cannot be submitted.",
            hint="Submit the path of a notebook or script, or a function with its arguments.",
        )
    if inputs or outputs:
        raise JobInvalid(
            "A function takes its inputs as arguments and gives back what it returns.",
            hint="Leave out inputs= and outputs=.",
        )
    return prepare_function(target, args=args, kwargs=kwargs or {}, options=options)
