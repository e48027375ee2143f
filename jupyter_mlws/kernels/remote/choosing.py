"""Which kernelspec of another Jupyter server a kernel is started with."""

from __future__ import annotations

from typing import NamedTuple

from jupyter_mlws.kernels.driver import KernelNotFound
from jupyter_mlws.kernels.remote.server import RemoteServer
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote


class Kernelspec(NamedTuple):
    """A kernelspec there."""

    name: str
    language: str
    """In lower case."""
    default: bool
    """Whether it is the server's default."""


async def choose(server: RemoteServer, remote: Remote, choice: KernelChoice) -> Kernelspec:
    """Return the kernelspec that is started. Raises `KernelNotFound`, and errors of ours."""
    specs, default = await server.kernelspecs()
    # A path of a Python is one of this machine, and says nothing there.
    name = choice.name or remote.kernel or default
    if name in specs:
        return Kernelspec(name, specs[name], name == default)
    raise KernelNotFound(
        f"There is no kernel called {name[:100]!r} on the compute {remote.name!r} at {server.url}.",
        hint=f"There are: {', '.join(sorted(specs)) or 'none'}.",
    )
