"""Which types of compute users can make, and how each comes about from what they asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.model.compute import ComputeSpec

TokenOf = Callable[[], str | None]
"""Reads a compute's token from the disk; None where it has none."""
Builder = Callable[[ComputeSpec, TokenOf], ComputeBackend]


def _jupyter(spec: ComputeSpec, token: TokenOf) -> ComputeBackend:
    # Imported with the first: most workspaces have none.
    from jupyter_mlws.compute.jupyter import JupyterCompute

    return JupyterCompute(spec, token=token)


BUILDERS: Mapping[str, Builder] = {"jupyter": _jupyter}
