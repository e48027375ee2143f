"""A number of bytes in words: the one way of all views, which `--memory 4G` is read back in."""

from __future__ import annotations

_UNITS = ("KB", "MB", "GB", "TB", "PB")


def size(count: int) -> str:
    """Return bytes with three digits and a unit, such as `312 B`, `4.21 MB` or `12 GB`.

    The units are powers of 1024, as in JupyterLab's file browser and in what is asked for with `--memory`.
    """
    if count < 1024:
        return f"{count} B"
    amount, unit = count / 1024, 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.3g} {_UNITS[unit]}" if amount < 999.5 else f"{amount:.0f} {_UNITS[unit]}"
