"""The last lines of a log that may be larger than the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlws.client.async_job import AsyncJob

_BYTES_A_LINE = 200
_LONGEST_EVENT = 128 * 1024
_MOST = 256 * 2**20
"""Bytes: a log without line breaks is not searched for ever."""


async def last_lines(job: AsyncJob, count: int, *, size: int, attempt: int | None) -> str:
    """Return the last `count` lines of what the job printed, without a line break at the end.

    `size` is that of the log in bytes. Ever more of its end is read until it holds that many lines.
    """
    tail = count * _BYTES_A_LINE + _LONGEST_EVENT
    while True:
        lines = (await job.logs(attempt=attempt, tail=tail)).splitlines()
        # The first line may have begun before the part that was read.
        if len(lines) > count or tail >= min(size, _MOST):
            return "\n".join(lines[-count:])
        tail *= 8
