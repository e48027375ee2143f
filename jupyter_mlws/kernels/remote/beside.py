"""What goes on beside the messages of one kernel, until it is closed."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable

from jupyter_mlws.kernels.remote.server import KernelGone
from jupyter_mlws.model.errors import MlwsError


class Beside:
    """Tasks that may fail with the line, which says so itself."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin `work`."""
        task: asyncio.Task[None] = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """Cancel what is under way."""
        for task in self._tasks:
            task.cancel()


async def _quietly(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()  # begun here: a task that is canceled before its start leaves none behind
    except (MlwsError, KernelGone):
        return  # the line's end says it
    except Exception:
        traceback.print_exc()
