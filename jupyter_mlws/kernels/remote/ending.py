"""Ends a kernel on another Jupyter server that nobody drives: its worker was killed, or no job wants it."""

from __future__ import annotations

import asyncio

from jupyter_mlws.kernels.remote.server import RemoteServer
from jupyter_mlws.kernels.remote.token import token_of
from jupyter_mlws.model.remote import Whereabouts

# A server lists a session once its kernel has begun: one that was asked for a moment ago is not there yet.
_LOOKS = (0.0, 0.5, 1.0, 2.0, 4.0)


async def end_kernel(found: Whereabouts) -> bool:
    """End the kernel; False where none is there: none was asked for, or its start is not seen yet.

    Raises errors of ours, when it cannot be known or done.
    """
    server = RemoteServer(found.url, name=found.name, token=token_of(found.token_file))
    try:
        # Its id may not have been written, or never have been known.
        kernel = found.kernel_id or await _find(server, found.session)
        if kernel is not None:
            await server.delete(kernel)
        return kernel is not None
    finally:
        server.close()


async def _find(server: RemoteServer, session: str) -> str | None:
    for pause in _LOOKS:
        await asyncio.sleep(pause)
        if (kernel := await server.find(session)) is not None:
            return kernel
    return None
