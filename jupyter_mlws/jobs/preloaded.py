"""Which files of ours a forked kernel has at once, as modules; others are sent them when they begin."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_FILES = (
    ("_mlws_inside", "jupyter_mlws.worker", "inside_kernel.py"),
    ("_mlws_portable", "jupyter_mlws.capture", "portable.py"),
)


def preloaded() -> tuple[tuple[str, str], ...]:
    """Return the names of the modules, each with the path of its file; none where they are in an archive."""
    found = ((name, resources.files(package).joinpath(file)) for name, package, file in _FILES)
    return tuple((name, str(file)) for name, file in found if isinstance(file, Path))
