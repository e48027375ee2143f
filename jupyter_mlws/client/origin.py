"""Where a submission comes from: the notebook, the cell and the kernel, as far as this process knows them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from jupyter_mlws.model.job import Origin


def shell() -> Any | None:
    """Return the running IPython shell, without importing IPython where it is not there."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def notebook_path() -> Path | None:
    """Return the notebook of this kernel as it was called when the kernel began; it may have moved."""
    running = shell()
    namespace: dict[str, Any] = getattr(running, "user_ns", None) or {}
    named = os.environ.get("JPY_SESSION_NAME") or namespace.get("__vsc_ipynb_file__")
    if isinstance(named, str) and named.endswith(".ipynb") and in_kernel():
        return Path(named)
    return None


def in_kernel() -> bool:
    """Return whether this process is a Jupyter kernel."""
    return getattr(shell(), "kernel", None) is not None


def kernel_id() -> str | None:
    """Return the id by which Jupyter's server knows this kernel; None outside of one."""
    if not in_kernel():
        return None
    from ipykernel.connect import get_connection_file

    try:
        match = re.search(r"kernel-([0-9a-fA-F-]{8,})\.json$", get_connection_file())
    except RuntimeError:
        return None
    return match[1] if match else None


def cell_id() -> str | None:
    """Return the id of the cell that runs now, where the frontend tells it."""
    kernel = getattr(shell(), "kernel", None)
    if kernel is None:
        return None
    parent: dict[str, Any] = kernel.get_parent("shell") or {}
    found = (parent.get("metadata") or {}).get("cellId")
    return found if isinstance(found, str) else None


def here(client: str) -> Origin:
    """Return the origin of a job that is submitted now through the door `client`."""
    notebook = notebook_path()
    return Origin(
        notebook=str(notebook) if notebook else None,
        cell_id=cell_id(),
        kernel_id=kernel_id(),
        client=client,
    )
