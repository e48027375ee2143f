import asyncio
import gc
import signal
import sys
import threading
from pathlib import Path

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


class InterruptAt:
    """Sends this process the signal of Ctrl-C at the `moment`th line of the client's and asyncio's code."""

    FILES = ("event_loop.py", "base_events.py", "selector_events.py")

    def __init__(self, moment):
        self.moment, self.steps = moment, 0

    def __call__(self, frame, event, _):
        if Path(frame.f_code.co_filename).name not in self.FILES:
            return None
        self.steps += event == "line"
        if self.steps == self.moment and event == "line":
            sys.settrace(None)
            signal.raise_signal(signal.SIGINT)
        return self


def follow_until_interrupted(moment):
    """Follow an endless source; return the exception, the source's state, and the lines until its wait."""
    loop = EventLoop()
    state, reached = [], []
    main = threading.main_thread().ident

    async def source():
        state.append("open")
        try:
            yield 1
            yield 2
            await asyncio.sleep(1)
            reached.append(at.steps)
            signal.pthread_kill(main, signal.SIGINT)  # the moment has not come: this is the last one
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            state.append("closed")

    at = InterruptAt(moment)
    caught = None
    sys.settrace(at)
    try:
        for _ in loop.iterate(source()):
            pass
    except BaseException as error:
        caught = error
    finally:
        sys.settrace(None)
    assert loop.run(asyncio.sleep(0, "it still works")) == "it still works"
    loop.stop()
    return caught, state, reached


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_an_interrupt_at_any_moment_stays_one_and_closes_the_source():
    _, _, (lines,) = follow_until_interrupted(0)
    assert lines > 50
    for moment in range(1, lines + 1):
        caught, state, _ = follow_until_interrupted(moment)
        assert type(caught) is KeyboardInterrupt, (moment, caught)
        assert state in ([], ["open", "closed"]), (moment, state)


def test_who_waits_when_the_loop_stops_is_told_so():
    loop = EventLoop()
    began = threading.Event()
    told = []

    async def for_ever():
        began.set()
        await asyncio.Event().wait()

    def wait():
        with pytest.raises(ConnectionClosed):
            loop.run(for_ever())
        told.append(True)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert began.wait(30)
    loop.stop()
    waiting.join(30)
    assert told == [True]
