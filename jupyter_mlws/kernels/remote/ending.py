"""Ends a kernel on another Jupyter server whose worker was killed."""

from __future__ import annotations

from jupyter_mlws.kernels.remote.driver import token_of
from jupyter_mlws.kernels.remote.server import RemoteServer
from jupyter_mlws.model.remote import Remote, Whereabouts


async def end_kernel(found: Whereabouts) -> None:
    """End the kernel, if it is there. Raises errors of ours, when it cannot be known or done."""
    remote = Remote(name=found.name, url=found.url, token_file=found.token_file)
    server = RemoteServer(found.url, name=found.name, token=token_of(remote))
    try:
        # Its id may not have been written, or never have been known.
        kernel = found.kernel_id or await server.find(found.session)
        if kernel is not None:
            await server.delete(kernel)
    finally:
        server.close()
