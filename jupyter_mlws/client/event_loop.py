"""A private thread with an event loop, through which the blocking client reaches the asynchronous one."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

from jupyter_mlws.client.failures import ConnectionClosed

T = TypeVar("T")
_WIND_UP_SECONDS = 5.0


class EventLoop:
    """Runs coroutines for threads that wait. An interrupt (Ctrl-C, ■) ends the waiting and the coroutine.

    The thread begins with the first coroutine and ends with `stop`, or when nobody holds this object.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="mlws-client", daemon=True)
        thread.start()
        self._stop = weakref.finalize(self, _stop, self._loop, thread)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns, or raise what it raises, or `ConnectionClosed` after `stop`."""
        if not self._stop.alive:
            work.close()
            raise ConnectionClosed
        ended = threading.Event()

        async def tracked() -> T:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(tracked(), self._loop)
        try:
            return future.result()
        except BaseException:
            # An interrupt: what comes next must not meet work that still winds up.
            if future.cancel():
                ended.wait(_WIND_UP_SECONDS)
            raise

    def iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        """Yield what `items` yields; whoever stops early closes it."""
        end = object()

        async def following() -> T | object:
            return await anext(items, end)

        try:
            while (item := self.run(following())) is not end:
                yield item  # type: ignore[misc]
        finally:
            self.run(items.aclose())

    def stop(self) -> None:
        """End the thread; what still runs in it is cancelled."""
        self._stop()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    def end() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)

    loop.call_soon_threadsafe(end)
    if thread is not threading.current_thread():
        thread.join(timeout=5)
        if not thread.is_alive():
            loop.close()
