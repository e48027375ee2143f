"""A cell becomes a job: what it reads is gathered from the notebook and packed."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlws.client import origin
from jupyter_mlws.client.options import JobInvalid, JobOptions, specify
from jupyter_mlws.client.prepared import Blob, Prepared, Skipped, packed
from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Inputs, JobKind, KernelChoice


def prepare_cell(
    code: str,
    *,
    options: JobOptions,
    namespace: MutableMapping[str, Any] | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> Prepared:
    """Return the job that runs `code` with the variables that it reads.

    `namespace` is where they are looked up, by default the notebook. `inputs` names the variables to send
    instead of those that the code reads, `outputs` those to bring back instead of all that it assigns.
    Raises `CellSyntaxError`, `NameNotDefined`, `CannotCapture` or `JobInvalid`, before anything is sent.
    """
    from jupyter_mlws.capture.gather import gather

    if not code.strip():
        raise JobInvalid(
            "The cell is empty.", hint="Write the code to run below the line with %%mlws submit."
        )
    variables = notebook_variables() if namespace is None else namespace
    # A parameter stands for a variable of its name, so that one need not be there.
    given = dict(options.parameters or {})
    captured = gather(code, {**variables, **given}, only=inputs)
    wanted = {name: value for name, value in captured.variables.items() if name not in given}
    sent: Inputs | None = None
    blobs: list[Blob] = []
    if wanted:
        sent, blob = packed(wanted, namespace=variables)
        blobs.append(blob)
    skipped = [
        Skipped(name, "not defined in the notebook; the cell may do without it")
        for name in sorted(captured.names.optional)
        if name not in captured.variables
    ]
    notebook = origin.notebook_path()
    spec = specify(
        options,
        kind=JobKind.CELL,
        name=f"{notebook.stem if notebook else 'cell'}-{new_id()[-4:]}",
        kernel=KernelChoice(executable=sys.executable),
        origin=origin.here(options.client),
        code=code,
        folder=str(Path.cwd()),
        inputs=sent,
        outputs=list(captured.names.defines if outputs is None else outputs),
    )
    return Prepared(spec, blobs, skipped)


def notebook_variables() -> MutableMapping[str, Any]:
    """Return the variables of the notebook, or of the `__main__` script outside of one."""
    shell = origin.shell()
    if shell is not None:
        variables: MutableMapping[str, Any] = shell.user_ns
        return variables
    return vars(sys.modules["__main__"])
