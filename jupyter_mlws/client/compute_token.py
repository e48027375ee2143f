"""Where a compute's token comes from, when it is not to stand in a command or a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from jupyter_mlws.model.compute_address import read_address
from jupyter_mlws.model.errors import Invalid

VARIABLE = "MLWS_COMPUTE_TOKEN"


class TokenFileUnreadable(Invalid):
    """The file that should hold the token cannot be read."""

    code = "token_file_unreadable"


def find(*, url: str, file: str | None, ask: Callable[[], str | None]) -> str | None:
    """Return the token that was given; None when there is none.

    It is the first of these: the content of `file` (`-` is the standard input), the variable
    MLWS_COMPUTE_TOKEN, the token in `url`, what `ask` returns. Raises `AddressInvalid` before anybody is
    asked for the token of a wrong address, and `TokenFileUnreadable`.
    """
    address = read_address(url)
    if file is not None:
        return _read(file)
    # Taken out: a server that is started next, and the jobs that it runs, would inherit it.
    if (given := os.environ.pop(VARIABLE, None)) is not None:
        return given.strip()
    if address.token is not None:
        return None
    answer = ask()
    return answer.strip() or None if answer is not None else None


def _read(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise TokenFileUnreadable(
            f"The token cannot be read from {file[:200]!r}: {reason}.",
            hint="Give a file with the token alone.",
        ) from None
    return text.strip()
