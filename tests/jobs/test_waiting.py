"""Who waits for a job is woken by it alone, misses nothing, and is let go."""

from __future__ import annotations

import asyncio

from jupyter_mlws.jobs.waiting import Waiting
from jupyter_mlws.model.events import Change

LONG = 600.0


def change(id: str, status: str | None = "Running", noun: str = "job") -> Change:
    return Change(workspace="w", noun=noun, id=id, status=status, offset=0, sequence=1)


async def test_what_comes_before_the_wait_is_not_missed() -> None:
    waiting = Waiting()
    with waiting.register("a", lambda _: True, seconds=LONG) as waiter:
        waiting.changed([change("a")])
        assert await waiter.wait() == "change"
        assert await waiter.wait(at_most=0.01) is None


async def test_only_those_are_woken_who_want_to_know() -> None:
    waiting = Waiting()
    with (
        waiting.register("a", lambda each: each.status is None, seconds=LONG, hears_log=True) as first,
        waiting.register("a", lambda _: True, seconds=LONG) as second,
        waiting.register("b", lambda _: True, seconds=LONG, hears_log=True) as other,
    ):
        waiting.log_grew("a")
        assert await first.wait() == "log"
        waiting.changed([change("a"), change("b", noun="compute")])
        assert await second.wait() == "change"
        for waiter in (first, second, other):
            assert await waiter.wait(at_most=0.01) is None
        waiting.changed([change("a", None)])
        assert await first.wait() == "change"


async def test_a_change_counts_for_more_than_the_log() -> None:
    waiting = Waiting()
    with waiting.register("a", lambda _: True, seconds=LONG, hears_log=True) as waiter:
        waiting.changed([change("a")])
        waiting.log_grew("a")
        assert await waiter.wait() == "change"


async def test_the_time_is_over() -> None:
    with Waiting().register("a", lambda _: True, seconds=0.01) as waiter:
        assert not waiter.is_over
        assert await waiter.wait() is None
        assert waiter.is_over


async def test_all_are_let_go_and_nobody_is_held_any_more() -> None:
    waiting = Waiting()
    with waiting.register("a", lambda _: True, seconds=LONG) as waiter:
        waits = asyncio.create_task(waiter.wait())
        await asyncio.sleep(0)
        waiting.close()
        assert await waits is None
        assert waiter.is_over
    with waiting.register("a", lambda _: True, seconds=LONG) as late:
        assert late.is_over
        assert await late.wait() is None


async def test_nothing_is_left_of_those_who_have_gone() -> None:
    waiting = Waiting()
    for id in ("a", "b", "a"):
        with waiting.register(id, lambda _: True, seconds=LONG):
            assert waiting.held == 1
    assert waiting.held == 0
