"""Packs captured variables into one blob, and says in the product's words what cannot be packed."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, BinaryIO

from jupyter_mlws.capture import portable
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.job import InputItem, Inputs


class CannotCapture(Invalid):
    """A variable cannot be sent.

    `name` is the variable, `path` where in it the trouble lies (`model.file`), `reason` what it is, as the
    end of a sentence.
    """

    code = "cannot_capture"

    def __init__(self, error: portable.PackError) -> None:
        super().__init__(
            f"The variable `{portable.shorten(error.name)}` cannot be sent to the job: {error.finding}",
            hint=error.hint,
        )
        self.name = error.name
        self.path = error.path
        self.reason = error.reason


def pack(
    variables: Mapping[str, object], *, sink: BinaryIO, namespace: MutableMapping[str, Any] | None = None
) -> Inputs:
    """Write `variables` to `sink`, which needs `write` alone, and return what was written: bytes and hashes.

    `namespace` holds the globals of the notebook's functions; None stands for those of `__main__`. Large
    tables and arrays go to `sink` from where they lie in memory.

    Raises `CannotCapture` before anything is written to `sink`.
    """
    try:
        written = portable.write_pack(variables, sink, namespace=namespace)
    except portable.PackError as error:
        raise CannotCapture(error) from error.__cause__
    items = [InputItem(**item) for item in written["items"]]
    return Inputs(blob=written["sha256"], size=written["size"], items=items)
