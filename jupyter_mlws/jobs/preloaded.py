"""Which files of ours a forked kernel has at once, as modules; others are sent them when they begin."""

from __future__ import annotations

from collections.abc import Container
from importlib import resources
from pathlib import Path

from jupyter_mlws.tracking.bootstrap import PREFIX
from jupyter_mlws.tracking.handover import FILES

_OURS = (
    ("_mlws_inside", "jupyter_mlws.worker", "inside_kernel.py"),
    ("_mlws_portable", "jupyter_mlws.capture", "portable.py"),
)


def preloaded(preload: Container[str]) -> tuple[tuple[str, str], ...]:
    """Return the names of the modules, each with the path of its file; none where they are in an archive.

    `preload` are the packages that the kernels have: the files that import mlflow are left out without it.
    """
    tracking = ("bootstrap", *FILES) if "mlflow" in preload else ()
    files = (*_OURS, *((PREFIX + name, "jupyter_mlws.tracking", f"{name}.py") for name in tracking))
    found = ((name, resources.files(package).joinpath(file)) for name, package, file in files)
    return tuple((name, str(file)) for name, file in found if isinstance(file, Path))
