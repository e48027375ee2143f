"""When a fork server makes another child."""

from __future__ import annotations

import pytest

from jupyter_mlws.forking.pace import QUIET, Pace


def test_the_first_is_made_at_once() -> None:
    assert Pace().rest(0.0, left=0) <= 0


@pytest.mark.parametrize("left", [0, 1])
def test_the_job_that_has_begun_comes_first(left: int) -> None:
    pace = Pace()
    pace.taken(100.0)
    assert pace.rest(100.0, left=left) >= QUIET
    assert pace.rest(101.0, left=left) <= 0


def test_it_is_left_alone_for_longer_while_another_waits() -> None:
    pace = Pace()
    pace.taken(100.0)
    assert pace.rest(100.1, left=0) <= 0 < pace.rest(100.1, left=1)


def test_where_jobs_come_in_a_row_it_is_not() -> None:
    pace = Pace()
    pace.taken(100.0)
    pace.taken(100.2)
    assert pace.rest(100.2 + QUIET, left=1) <= 0
    pace.taken(160.0)
    assert pace.rest(160.0 + QUIET, left=1) > 0
