"""Which notebook is it: the question of a kernel, and the answer of a browser or of the disk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import JsonValue, StringConstraints

from jupyter_mlws.model.record import Record

KernelId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._:@-]+$")]
"""The id that the Jupyter server gave to a running kernel."""


class NotebookAsk(Record):
    """Ask for the notebook that a kernel belongs to, as it stands on the screen."""

    kernel_id: KernelId


class NotebookAnswer(Record):
    """What a browser sends for a `notebook-request` event."""

    path: str
    """As Jupyter has it: relative to the server's root folder, with `/`."""
    dirty: bool
    """Whether it holds changes that are not saved."""
    content: dict[str, JsonValue]
    """The notebook as nbformat has it."""


class NotebookFound(Record):
    """The notebook, and where it was seen."""

    path: str
    """As Jupyter has it: relative to the server's root folder, with `/`."""
    folder: str | None = None
    """Absolute path of the folder it lies in; None when it is not on this machine's disk."""
    dirty: bool
    content: dict[str, JsonValue]
    source: Literal["screen", "disk"]
    """`disk`: no browser shows it, so this is what was saved last."""


class NotebookRequest(Record):
    """The event that asks every browser for a notebook."""

    request_id: str
    kernel_id: str
