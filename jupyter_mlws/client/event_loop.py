"""A private thread with an event loop, through which the blocking client reaches the asynchronous one."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, Generic, TypeVar

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
        return self._complete(_Errand(work))

    def _complete(self, errand: _Errand[T]) -> T:
        if not self._stop.alive:
            errand.call_off()
            raise ConnectionClosed
        try:
            self._loop.call_soon_threadsafe(errand.begin)
            errand.wait()
        except BaseException:
            # An interrupt, wherever it came: what is done next must not meet work that still winds up.
            self._loop.call_soon_threadsafe(errand.call_off)
            errand.wait(_WIND_UP_SECONDS)
            raise
        return errand.result()

    def iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        """Yield what `items` yields; whoever stops early closes it."""
        end = object()
        # A generator that is still winding up cannot be closed yet.
        turn = asyncio.Lock()

        async def following() -> T | object:
            async with turn:
                return await anext(items, end)

        async def closing() -> None:
            if step is not None:
                step.call_off()
            async with turn:
                await items.aclose()

        step = None
        try:
            while True:
                step = _Errand(following())
                if (item := self._complete(step)) is end:
                    return
                yield item  # type: ignore[misc]
        finally:
            self.run(closing())

    def stop(self) -> None:
        """End the thread; what still runs in it is cancelled."""
        self._stop()


class _Errand(Generic[T]):
    """A coroutine on its way through the loop, which a thread waits for.

    The wait is for a bare lock: an interrupt within `threading.Condition`, which `Event` and `Future` wait
    on, can end as a RuntimeError about its lock.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None
        self._over = False
        self._until_over = threading.Lock()
        self._until_over.acquire()

    def begin(self) -> None:
        """Begin the work, in the loop."""
        self._task = asyncio.get_running_loop().create_task(self._work)
        self._task.add_done_callback(lambda _: self._end())

    def call_off(self) -> None:
        """Cancel the work, in the loop, or give it up where it was never begun; nothing, where it is over."""
        if self._task is not None:
            self._task.cancel()
        elif not self._over:
            self._work.close()
            self._end()

    def wait(self, patience: float = -1) -> None:
        """Wait in another thread until the work is over, `patience` seconds at most where it is given."""
        if not self._over:
            self._until_over.acquire(timeout=patience)

    def result(self) -> T:
        """Return what the work returned or raise what it raised; `ConnectionClosed` if it was cancelled."""
        if self._task is None or self._task.cancelled():
            raise ConnectionClosed
        return self._task.result()

    def _end(self) -> None:
        self._over = True
        self._until_over.release()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    async def end() -> None:
        # Whoever waits for them hears of their end before the loop stops.
        if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_WIND_UP_SECONDS)
        loop.stop()

    asyncio.run_coroutine_threadsafe(end(), loop)
    if thread is not threading.current_thread():
        thread.join(timeout=5)
        if not thread.is_alive():
            loop.close()
