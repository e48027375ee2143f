"""The last lines of a log that may be larger than the memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

_BYTES_A_LINE = 200
_LONGEST_EVENT = 128 * 1024
_MOST = 256 * 2**20
"""Bytes: a log without line breaks is not searched for ever."""


async def last_lines(read: Callable[[int], Awaitable[str]], count: int, *, size: int) -> str:
    """Return the last `count` lines of what a job printed, without a line break at the end.

    `read` gives what is in the last bytes of the log, which has `size` bytes in all. Ever more of its end
    is read until it holds that many lines.
    """
    tail = count * _BYTES_A_LINE + _LONGEST_EVENT
    while True:
        lines = (await read(tail)).splitlines()
        # The first line may have begun before the part that was read.
        if len(lines) > count or tail >= min(size, _MOST):
            return "\n".join(lines[-count:])
        tail *= 8
