"""Ends the kernel that a killed worker left on another Jupyter server, so that no orphan stays there."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError

from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.remote import Whereabouts

_SECONDS = 20.0


async def end_elsewhere(files: AttemptFiles) -> str | None:
    """End the kernel that `files` tell of; return a sentence when it may still run, None otherwise."""
    try:
        content = await asyncio.to_thread(files.remote_kernel.read_bytes)
        found = Whereabouts.model_validate_json(content)
    except (OSError, ValidationError):
        return None  # there was none, or it was ended
    # Imported where it is needed: most jobs run here.
    from jupyter_mlws.kernels.remote.ending import end_kernel

    try:
        async with asyncio.timeout(_SECONDS):
            await end_kernel(found)
    except (MlwsError, TimeoutError) as error:
        why = error.message if isinstance(error, MlwsError) else f"it did not answer in {_SECONDS:.0f} s"
        return f"Its kernel on {found.name}, in the session {found.session}, may still run: {why}"
    await asyncio.to_thread(files.remote_kernel.unlink, missing_ok=True)
    return None
