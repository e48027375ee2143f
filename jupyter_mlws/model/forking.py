"""What fork servers are to be like: an operator's settings, which travel with each job to its worker."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.record import Record

PRELOAD = (
    "debugpy",
    "jedi",
    "numpy",
    "pandas",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.utils._pprint",  # with the first model that is shown
    "mlflow",
)
"""What most jobs import. Nothing that starts threads or opens a device when it is imported."""


class Forking(Record):
    """Settings of the fork servers of a workspace."""

    root: str
    """Folder of their sockets, of this user alone and with a short path."""
    preload: tuple[str, ...] = PRELOAD
    """Modules that kernels have at once; what an environment lacks is left out."""
    helpers: tuple[tuple[str, str], ...] = ()
    """Files of ours that kernels have as modules of these names at once, instead of being sent them."""
    spares: Annotated[int, Field(ge=0, le=64)] = 2
    """Kernels that wait, ready, for each environment in use."""
    idle: Annotated[float, Field(gt=0)] = 300.0
    """Seconds without a job after which a fork server ends, and its spares with it."""

    @property
    def packages(self) -> str:
        """Folder of what is known of environments; named as a fork server's, it goes when they all go."""
        return f"{self.root}/fork-packages"
