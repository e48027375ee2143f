"""The token of another Jupyter server, as whoever speaks with it gets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Token = Callable[[], "str | None"]
"""Gives the token as it is now; it may be renewed while a job runs."""


def token_of(file: str | None) -> Token:
    """Return what reads the token in `file`, anew each time."""

    def read() -> str | None:
        if file is None:
            return None
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None  # the server will say that it wants one

    return read
