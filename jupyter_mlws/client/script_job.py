"""A Python script becomes a job."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_mlws.client import notebook_file, origin
from jupyter_mlws.client.notebook_job import packed_inputs
from jupyter_mlws.client.options import JobOptions, specify
from jupyter_mlws.client.prepared import Prepared
from jupyter_mlws.model.job import JobKind, KernelChoice


def prepare_script(
    path: Path,
    *,
    options: JobOptions,
    inputs: Mapping[str, object] | None = None,
    outputs: Sequence[str] | None = None,
) -> Prepared:
    """Return the job that runs the script at `path`. Raises `FileMissing` or `JobInvalid`."""
    path = path.expanduser().absolute()
    notebook_file.read_file(path)
    sent, blobs = packed_inputs(inputs)
    spec = specify(
        options,
        kind=JobKind.SCRIPT,
        name=path.stem,
        kernel=KernelChoice(executable=sys.executable),
        origin=origin.here(options.client),
        path=path.name,
        folder=str(path.parent),
        inputs=sent,
        outputs=list(outputs or ()),
    )
    return Prepared(spec, blobs)
