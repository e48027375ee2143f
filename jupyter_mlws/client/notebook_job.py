"""A notebook becomes a job: from a file, or as it stands on the screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_mlws.client import notebook_file, origin
from jupyter_mlws.client.cell_job import notebook_variables
from jupyter_mlws.client.options import JobOptions, specify
from jupyter_mlws.client.prepared import Blob, Prepared, blob_of, packed
from jupyter_mlws.model.job import Inputs, JobKind, KernelChoice

_DEFAULT_KERNEL = "python3"


def prepare_notebook(
    path: Path,
    *,
    options: JobOptions,
    content: dict[str, Any] | None = None,
    inputs: Mapping[str, object] | None = None,
    outputs: Sequence[str] | None = None,
) -> Prepared:
    """Return the job that runs the notebook at `path`, or `content` in its place.

    Raises `FileMissing`, `NotANotebook` or `JobInvalid`, before anything is sent.
    """
    if content is None:
        path = path.expanduser().absolute()
        notebook = notebook_file.parse(notebook_file.read_file(path), where=str(path))
    else:
        notebook = notebook_file.upgraded(content, where=str(path))
    blob = blob_of(json.dumps(notebook, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    sent, blobs = packed_inputs(inputs)
    spec = specify(
        options,
        kind=JobKind.NOTEBOOK,
        name=path.stem,
        kernel=kernel_of(notebook),
        origin=origin.here(options.client),
        notebook=blob.sha256,
        path=path.name,
        folder=str(path.parent),
        inputs=sent,
        outputs=list(outputs or ()),
    )
    return Prepared(spec, [blob, *blobs])


def kernel_of(notebook: Mapping[str, Any]) -> KernelChoice:
    """Return the kernel that a notebook names.

    Where it names none or `python3`, that is, in a notebook, the submitting kernel's own Python.
    """
    named = ((notebook.get("metadata") or {}).get("kernelspec") or {}).get("name")
    if named in (None, "", _DEFAULT_KERNEL):
        return (
            KernelChoice(executable=sys.executable)
            if origin.in_kernel()
            else KernelChoice(name=_DEFAULT_KERNEL)
        )
    return KernelChoice(name=str(named))


def packed_inputs(inputs: Mapping[str, object] | None) -> tuple[Inputs | None, list[Blob]]:
    """Return variables that were given by hand, packed; None when there are none."""
    if not inputs:
        return None, []
    sent, blob = packed(inputs, namespace=notebook_variables())
    return sent, [blob]


def place_on_disk(shown: str, folder: str | None) -> Path:
    """Return where the notebook lies that the screen calls `shown` (a path below the server's root).

    `folder` is the server's word for its folder; where it gave none, the notebook lies in the current one.
    """
    return (Path(folder) if folder else Path.cwd()) / PurePosixPath(shown).name
