"""Opaque cursors: the sort key of the last row of a page, as text that fits in a URL."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence

from jupyter_mlws.model.errors import Invalid

Key = str | int | float | bool
_LARGEST = 2**63 - 1


class CursorInvalid(Invalid):
    """A cursor that no page gave, or that belongs to another order."""

    code = "cursor_invalid"


def encode(keys: Sequence[Key]) -> str:
    """Return `keys` as a cursor."""
    text = json.dumps(list(keys), separators=(",", ":"), allow_nan=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *, types: Sequence[type[Key]]) -> list[Key]:
    """Return what `encode` was given, with values of exactly these types. Raises `CursorInvalid`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        keys = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise refused(cursor) from error
    if not isinstance(keys, list) or len(keys) != len(types):
        raise refused(cursor)
    if not all(_fits(key, kind) for key, kind in zip(keys, types, strict=True)):
        raise refused(cursor)
    return keys


def _fits(key: object, kind: type[Key]) -> bool:
    if type(key) is not kind:
        return False
    if isinstance(key, str):
        # A lone surrogate can be written in JSON, but no database takes it.
        return key.isascii() or not any("\ud800" <= character <= "\udfff" for character in key)
    return abs(key) <= _LARGEST if isinstance(key, int) else key == key


def refused(cursor: str) -> CursorInvalid:
    """Return the error for a cursor that does not fit."""
    return CursorInvalid(
        f"The cursor {cursor[:100]!r} does not continue this list.",
        hint="Give `next` of the page before, with the same sort and direction, or none to begin.",
    )
