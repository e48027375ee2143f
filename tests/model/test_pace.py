"""Turns come at once while they are few, and in step when they are many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.model.pace import Pace


def test_a_burst_is_at_once_and_what_comes_after_is_in_step() -> None:
    pace = Pace(per_second=20, burst=3)
    assert [round(pace.turn(100.0), 3) for _ in range(6)] == [0, 0, 0, 0.05, 0.1, 0.15]


def test_a_rest_gives_a_burst_again_and_no_more() -> None:
    pace = Pace(per_second=20, burst=3)
    for _ in range(3):
        pace.turn(100.0)
    assert [round(pace.turn(1e6), 3) for _ in range(4)] == [0, 0, 0, 0.05]


@given(st.lists(st.floats(min_value=0, max_value=0.2), min_size=1, max_size=200))
def test_who_waits_for_each_turn_has_never_more_than_the_rate_allows(pauses: list[float]) -> None:
    pace, now, turns = Pace(per_second=20, burst=5), 0.0, []
    for pause in pauses:
        now += pause
        now += pace.turn(now)
        turns.append(now)
    for first, at in enumerate(turns):
        within = sum(at <= each < at + 1 for each in turns[first:])
        assert within <= 20 + 5 + 1
