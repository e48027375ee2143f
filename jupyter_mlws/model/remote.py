"""Another Jupyter server, as a worker finds it: what travels with a job to its worker."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.record import Record


class Remote(Record):
    """A Jupyter Server, Kernel Gateway or Enterprise Gateway. The token itself is in no record."""

    name: str
    """The name of the compute, for sentences."""
    url: str
    """Its address, with the base URL and without the token."""
    token_file: str | None = None
    """File of mode 0600 that holds the token; it is read anew at each connection. None: without a token."""
    kernel: str | None = None
    """The kernelspec there; None: the server's default."""
    patience: Annotated[float, Field(gt=0)] = 300.0
    """Seconds that a lost connection is tried again before the job is given up."""
    spares: str | None = None
    """Folder with the notes of kernels that wait there, ready; see kernels/remote/spares.py."""


class Spare(Record):
    """What a kernel is that was started ahead of its job, and prepared."""

    kernel: str
    """Its kernelspec."""
    default: bool
    """Whether that is the server's default."""
    nonce: str
    """What it was prepared with."""


class Whereabouts(Record):
    """How a kernel on another Jupyter server is found by whoever has to end it."""

    name: str
    """The name of the compute."""
    url: str
    token_file: str | None = None
    session: str
    """What its session there is called: it is found by that while its id is not known."""
    session_id: str
    """Of the websocket: what comes again after a reconnect comes under the same one."""
    kernel_id: str | None = None
    spare: Spare | None = None
    """Set for one that waits, ready, for whoever takes it."""
