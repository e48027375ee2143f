"""Sizes and times as people write them: `4G` of memory, `2h` of time."""

from __future__ import annotations

import math
import re

from jupyter_mlws.model.errors import Invalid

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


class QuantityInvalid(Invalid):
    """A text that should be a size or a time is none."""

    code = "quantity_invalid"


def size(value: str | int) -> int:
    """Return `value` in bytes.

    A text has a unit K, M, G or T, with or without `B` or `iB`; all are powers of 1024. A number is
    bytes already. Raises `QuantityInvalid`.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    found = round(float(match[1]) * 1024 ** _UNITS[match[2].upper()]) if match else 0
    if found <= 0:
        raise QuantityInvalid(
            f"{str(value)[:100]!r} is not an amount of memory.", hint="Write for example 512M or 4G."
        )
    return found


def duration(value: str | float) -> float:
    """Return `value` in seconds: a number of seconds, or a text such as `90`, `30s`, `2h`, `1h30m`, `1.5d`.

    Raises `QuantityInvalid`.
    """
    seconds = 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str):
        text = value.strip().lower()
        parts = _SPAN.findall(text)
        if parts and _SPAN.sub("", text).strip() == "":
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        elif re.fullmatch(r"\d+(\.\d+)?", text):
            seconds = float(text)
    if not (seconds > 0 and math.isfinite(seconds)):
        raise QuantityInvalid(
            f"{str(value)[:100]!r} is not a length of time.", hint="Write for example 90s, 30m or 2h."
        )
    return seconds
