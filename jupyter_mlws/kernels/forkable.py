"""Which kernelspecs are ipykernel and nothing else: there, a forked kernel is the same as a started one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_client.kernelspec import KernelSpec

_COMMAND = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
_WITHOUT_EFFECT = ("-Xfrozen_modules=off",)  # fork servers are started with it, too
# jupyter_client takes these for the Python that it runs with itself.
_OUR_PYTHON = ("python", f"python{sys.version_info[0]}", "python{}.{}".format(*sys.version_info[:2]))


def python_of(spec: KernelSpec) -> str | None:
    """Return the Python whose ipykernel `spec` starts; None where there is more to it than that.

    A command or variables of its own, a provisioner, or another way to interrupt: such a kernel has to be
    started as its kernelspec says.
    """
    executable, *rest = spec.argv or [""]
    if [word for word in rest if word not in _WITHOUT_EFFECT] != _COMMAND:
        return None
    if spec.env or spec.interrupt_mode != "signal" or (spec.metadata or {}).get("kernel_provisioner"):
        return None
    if executable in _OUR_PYTHON:
        return sys.executable
    return executable if Path(executable).is_absolute() else None
