import asyncio
import gc
import signal
import threading

import pytest

from jupyter_mlws.client.event_loop import EventLoop
from jupyter_mlws.client.failures import ConnectionClosed


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "mlws-client"]


def test_it_gives_results_and_errors():
    loop = EventLoop()

    async def add(a, b):
        return a + b

    async def fail():
        raise ValueError("no")

    assert loop.run(add(1, 2)) == 3
    with pytest.raises(ValueError, match="no"):
        loop.run(fail())
    loop.stop()
    with pytest.raises(ConnectionClosed, match="closed"):
        loop.run(add(1, 2))


def test_an_iteration_that_is_left_closes_its_source():
    loop = EventLoop()
    closed = []

    async def numbers():
        try:
            for number in range(100):
                yield number
        finally:
            closed.append(True)

    assert list(loop.iterate(numbers())) == list(range(100))
    for number in (iterating := loop.iterate(numbers())):
        if number == 3:
            break
    iterating.close()
    assert closed == [True, True]
    loop.stop()


def test_an_interrupt_ends_the_waiting_and_the_work():
    loop = EventLoop()
    began, cancelled = threading.Event(), threading.Event()

    async def for_ever():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    # A real signal, as Ctrl-C sends it: it has to end the wait for a lock.
    main = threading.main_thread().ident
    threading.Thread(target=lambda: (began.wait(), signal.pthread_kill(main, signal.SIGINT))).start()
    with pytest.raises(KeyboardInterrupt):
        loop.run(for_ever())
    assert cancelled.wait(10)
    loop.stop()


def test_the_thread_ends_with_its_holder(wait_for):
    before = len(threads())
    loop = EventLoop()
    assert len(threads()) == before + 1
    del loop
    gc.collect()
    wait_for(lambda: len(threads()) == before, timeout=10)


def test_an_interrupted_iteration_is_closed():
    loop = EventLoop()
    began = threading.Event()
    closed = []

    async def slow():
        try:
            yield 1
            began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            closed.append(True)

    main = threading.main_thread().ident
    threading.Thread(target=lambda: (began.wait(), signal.pthread_kill(main, signal.SIGINT))).start()
    with pytest.raises(KeyboardInterrupt):
        list(loop.iterate(slow()))
    assert closed == [True]
    loop.stop()
