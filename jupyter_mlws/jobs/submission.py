"""What is checked before a job is accepted: each refusal is a sentence, and comes before anything runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.roster import unknown
from jupyter_mlws.compute.slots import asked, lacking
from jupyter_mlws.jobs.elsewhere import check_promises, elsewhere
from jupyter_mlws.jobs.kernelspecs import Kernelspecs, KernelUnknown
from jupyter_mlws.jobs.notebook_parameters import check_parameters
from jupyter_mlws.model.errors import Invalid, Malformed
from jupyter_mlws.model.job import JobKind, JobSpec, KernelChoice
from jupyter_mlws.model.sizes import size
from jupyter_mlws.store.blobs import Blobs

_DEFAULT_KERNEL = "python3"
_OLDEST_FORMAT, _NEWEST_FORMAT = 3, 4


class ResourcesTooLarge(Invalid):
    """The job asks for more than the whole compute has: it would wait for ever."""

    code = "resources_too_large"


class BlobMissing(Invalid):
    """The job names a blob that was not uploaded."""

    code = "blob_missing"


class NotebookMalformed(Malformed):
    """What should be a notebook is none."""

    code = "notebook_malformed"


class OutputNameInvalid(Invalid):
    """What is to be brought back is no name that code can assign."""

    code = "output_name_invalid"


class FolderMissing(Invalid):
    """The folder that the job is to run in is not there, or not absolute."""

    code = "folder_missing"


class ScriptMissing(Invalid):
    """The script is not in its folder."""

    code = "script_missing"


def check(
    spec: JobSpec, *, blobs: Blobs, computes: Mapping[str, ComputeBackend], kernelspecs: Kernelspecs
) -> JobSpec:
    """Return `spec` with its kernel decided. Reads the disk. Raises one of the errors above."""
    compute = _compute(spec, computes)
    _check_blobs(spec, blobs)
    _check_folder(spec)
    _check_outputs(spec)
    notebook = None if spec.notebook is None else _read_notebook(blobs.path(spec.notebook), spec.name)
    if notebook is not None:
        check_parameters(notebook, spec.parameters, where=repr(spec.name))
    if not compute.guarantees.live_folder:
        return elsewhere(spec, compute, notebook)
    return spec.model_copy(update={"kernel": _kernel(spec, notebook, kernelspecs)})


def _compute(spec: JobSpec, computes: Mapping[str, ComputeBackend]) -> ComputeBackend:
    compute = computes.get(spec.compute)
    if compute is None:
        raise unknown(spec.compute, computes)
    check_promises(spec, compute)
    short = lacking(asked(spec.resources, of=compute.capacity), compute.capacity)
    if short:
        has = compute.capacity
        raise ResourcesTooLarge(
            f"The job asks for {' and '.join(item.split(' (')[0] for item in short)}, more than the compute "
            f"{spec.compute} has in all.",
            hint=f"It has {has.cpus:g} cpus, {size(has.memory)} of memory and {has.gpus} gpus.",
        )
    return compute


def _check_blobs(spec: JobSpec, blobs: Blobs) -> None:
    wanted = {
        "notebook": spec.notebook,
        "inputs": None if spec.inputs is None else spec.inputs.blob,
        "environment": spec.environment,
    }
    for field, sha256 in wanted.items():
        if sha256 is not None and not blobs.has(sha256):
            raise BlobMissing(
                f"The blob {sha256[:12]}… that {field} names was not uploaded.",
                hint="PUT it to /blobs/{sha256} first.",
            )


def _check_folder(spec: JobSpec) -> None:
    if spec.folder is None:
        return
    folder = Path(spec.folder)
    if not folder.is_absolute() or not _is(folder.is_dir):
        raise FolderMissing(
            f"The folder {spec.folder[:300]!r} is not there.",
            hint="Give the absolute path of the folder that holds the notebook or script.",
        )
    if spec.kind is JobKind.SCRIPT:
        script = folder / (spec.path or "")
        if not _is(lambda: script.resolve().is_relative_to(folder.resolve()) and script.is_file()):
            raise ScriptMissing(
                f"There is no script {(spec.path or '')[:300]!r} in {folder}.",
                hint="Give its path relative to the folder.",
            )


def _check_outputs(spec: JobSpec) -> None:
    for name in spec.outputs or ():
        if not name.isidentifier():
            raise OutputNameInvalid(
                f"{name[:100]!r} is not a name that the code could assign, so it cannot be brought back.",
                hint="Name variables at the top level of the code.",
            )


def _is(question: Callable[[], bool]) -> bool:
    """Whether a path is what is asked; one that is too long, holds NUL, or may not be seen is not."""
    try:
        return question()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: symbolic links in a circle
        return False


def _read_notebook(path: Path, name: str) -> dict[str, object]:
    try:
        notebook = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise NotebookMalformed(
            f"The notebook {name!r} is not JSON: {str(error)[:200]}.",
            hint="Open it in JupyterLab and save it, or send another file.",
        ) from error
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if not isinstance(version, int) or not _OLDEST_FORMAT <= version <= _NEWEST_FORMAT:
        raise NotebookMalformed(
            f"The file {name!r} is not a notebook of nbformat 3 or 4"
            + (f", but of nbformat {str(version)[:20]}." if version is not None else "."),
            hint="Open it in JupyterLab and save it, or send another file.",
        )
    assert isinstance(notebook, dict)
    cells, metadata = notebook.get("cells"), notebook.get("metadata", {})
    has_cells = isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    if not isinstance(metadata, dict) or (version == _NEWEST_FORMAT and not has_cells):
        raise NotebookMalformed(
            f"The file {name!r} says that it is a notebook of nbformat {version}, but has no list of cells "
            "with metadata.",
            hint="Open it in JupyterLab and save it, or send another file.",
        )
    return notebook


def _kernel(spec: JobSpec, notebook: dict[str, object] | None, kernelspecs: Kernelspecs) -> KernelChoice:
    """Return the interpreter asked for, else the kernelspec: asked for, the notebook's own, python3."""
    executable = spec.kernel.executable
    if executable is not None and spec.kernel.name is None:
        path = Path(executable)
        if spec.environment is None and not _is(lambda: path.is_file() and os.access(path, os.X_OK)):
            raise KernelUnknown(
                f"There is no Python to run at {executable[:300]!r}.",
                hint="Give the path of an interpreter that has ipykernel, or the name of a kernelspec.",
            )
        return KernelChoice(executable=executable)
    name = spec.kernel.name or _kernelspec_of(notebook) or _DEFAULT_KERNEL
    kernelspecs.check(name)
    return KernelChoice(name=name)


def _kernelspec_of(notebook: dict[str, object] | None) -> str | None:
    metadata = notebook.get("metadata") if notebook else None
    kernelspec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = kernelspec.get("name") if isinstance(kernelspec, dict) else None
    return name if isinstance(name, str) and name else None
