"""Twenty seeded moments of chaos; `benchmarks/chaos.py` plays two hundred."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.chaos import Chaos
from tests.fixtures.place import a_place

SEEDS = range(20)


@pytest.fixture(scope="module")
def chaos() -> Iterator[Chaos]:
    """A workspace that goes through all of it."""
    with a_place() as place:
        playing = Chaos(place)
        yield playing
        playing.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_every_job_ends_truthfully(chaos: Chaos, seed: int) -> None:
    chaos.play(seed)
