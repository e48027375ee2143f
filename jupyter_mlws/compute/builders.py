"""Which types of compute users can make, and how each comes about from what they asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.compute.warm_kernels import WarmKernels
from jupyter_mlws.model.compute import ComputeSpec
from jupyter_mlws.processes.identity import ProcessRef


@dataclass(frozen=True)
class Means:
    """What a compute is given besides its spec."""

    token: Callable[[], str | None]
    """Gives the token as it is now; None where there is none."""
    token_file: Path | None
    """Where it lies, for workers, which read it anew at each connection. None: without, or not kept yet."""
    launch: Callable[[Path], Awaitable[ProcessRef]]
    """Starts a worker of this machine on the attempt in a folder. Raises `LaunchFailed`."""
    warm: WarmKernels | None = None
    """Keeps a kernel ready there for the next job. None: each job waits for one of its own."""


Builder = Callable[[ComputeSpec, Means], ComputeBackend]


def _jupyter(spec: ComputeSpec, means: Means) -> ComputeBackend:
    # Imported with the first: most workspaces have none.
    from jupyter_mlws.compute.jupyter import JupyterCompute

    return JupyterCompute(
        spec, token=means.token, token_file=means.token_file, launch=means.launch, warm=means.warm
    )


BUILDERS: Mapping[str, Builder] = {"jupyter": _jupyter}
