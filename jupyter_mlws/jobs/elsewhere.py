"""What a job becomes on a compute that has neither this machine's folders nor its kernels. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.job import JobKind, JobSpec, KernelChoice
from jupyter_mlws.model.sizes import size

_HERE = "python"  # of this language every server's own default kernel is


class NotThere(Invalid):
    """The job asks for what its compute does not have, or does not promise."""

    code = "not_there"


def elsewhere(spec: JobSpec, compute: ComputeBackend, notebook: Mapping[str, object] | None) -> JobSpec:
    """Return `spec` as it can run on `compute`, which has no live folder. Raises `NotThere`.

    A notebook or a script runs in a copy of its folder. An interpreter and packages of this machine mean
    nothing there: the job runs with the kernel that it names, else with the one of its compute.
    """
    if spec.snapshot is False and spec.kind in (JobKind.NOTEBOOK, JobKind.SCRIPT):
        raise NotThere(
            f"The compute {compute.name!r} cannot run {spec.name!r} in its own folder, which is not there.",
            hint="Leave out --live (snapshot=False): it runs in a copy of the folder.",
        )
    snapshot = spec.snapshot
    if spec.kind in (JobKind.NOTEBOOK, JobKind.SCRIPT) and spec.folder is not None:
        snapshot = True
    name = spec.kernel.name or _of_another_language(notebook)
    return spec.model_copy(
        update={"snapshot": snapshot, "kernel": KernelChoice(name=name), "environment": None}
    )


def check_promises(spec: JobSpec, compute: ComputeBackend) -> None:
    """Raise `NotThere` for what `compute` cannot hold a job to, or keep for it."""
    resources = spec.resources
    if resources.memory is not None and not compute.guarantees.memory_limit:
        raise NotThere(
            f"The compute {compute.name!r} cannot hold a job to {size(resources.memory)} of memory.",
            hint="Leave out the limit, or choose a compute that guarantees it.",
        )
    if resources.gpus and compute.capacity.slots is not None:
        raise NotThere(
            f"The compute {compute.name!r} counts jobs and not GPUs, so none can be kept for this one.",
            hint="Leave out the GPUs: a job there sees what its kernel sees.",
        )


def _of_another_language(notebook: Mapping[str, object] | None) -> str | None:
    """Return the kernelspec of a notebook that no Python kernel can run."""
    metadata = notebook.get("metadata") if notebook else None
    if not isinstance(metadata, dict):
        return None
    kernelspec, info = metadata.get("kernelspec"), metadata.get("language_info")
    spoken = [
        part.get(key)
        for part, key in ((info, "name"), (kernelspec, "language"))
        if isinstance(part, dict) and part.get(key)
    ]
    if not spoken or str(spoken[0]).lower() == _HERE or not isinstance(kernelspec, dict):
        return None
    name = kernelspec.get("name")
    return name if isinstance(name, str) and name else None
