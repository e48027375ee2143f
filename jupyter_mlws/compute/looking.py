"""A look at a compute that ends in time, whatever the server there does, and shows no token."""

from __future__ import annotations

import asyncio
import logging
import re

from jupyter_mlws.compute.backend import ComputeBackend
from jupyter_mlws.model.compute import ComputeCheck
from jupyter_mlws.model.errors import MlwsError

PATIENCE = 45.0
"""Seconds; a gateway may have to bring up a container first. Clients wait for a minute."""
_LONGEST, _MOST_KERNELS = 500, 100
_SHORTEST_SECRET = 4  # shorter ones are in every text
_log = logging.getLogger(__name__)


async def look(backend: ComputeBackend, *, secret: str | None) -> ComputeCheck:
    """Return what `backend.check` finds, in time and fit to be shown; `secret` is in none of it."""
    try:
        async with asyncio.timeout(PATIENCE):
            found = await backend.check()
    except TimeoutError:
        found = _failed(f"The compute {backend.name} did not answer within {PATIENCE:.0f} seconds.")
    except MlwsError as error:
        found = _failed(str(error))
    except Exception as error:
        found = _failed(f"The look at the compute {backend.name} failed: {type(error).__name__}: {error}.")
        _log.warning("%s", presentable(found, secret=secret).message)
    return presentable(found, secret=secret)


def presentable(found: ComputeCheck, *, secret: str | None) -> ComputeCheck:
    """Return what was found without `secret`, control characters and texts without end. Pure."""

    def text(value: str | None) -> str | None:
        if value is None:
            return None
        if secret is not None and len(secret) >= _SHORTEST_SECRET:
            value = value.replace(secret, "…")
        value = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", value).strip()
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"

    return found.model_copy(
        update={
            "server": text(found.server),
            "python": text(found.python),
            "message": text(found.message),
            "kernels": [name for kernel in found.kernels[:_MOST_KERNELS] if (name := text(kernel))],
        }
    )


def _failed(message: str) -> ComputeCheck:
    return ComputeCheck(reachable=False, message=message)
