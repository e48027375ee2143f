from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.reconcile.doorbell import Doorbell, ring


@pytest.fixture
def path() -> Iterator[Path]:
    # The path of a socket holds about 100 bytes, which pytest's folders can be too long for.
    with tempfile.TemporaryDirectory(prefix="mlws") as folder:
        yield Path(folder) / "bell"


async def test_who_rang_is_told_once(path: Path) -> None:
    bell = Doorbell(path)
    bell.listen()
    ring(path, "one")
    ring(path, "two")
    ring(path, "one")
    rung: set[str] = set()
    async with asyncio.timeout(30):
        while rung != {"one", "two"}:
            rung |= await bell.wait(1)
    assert await bell.wait(0.01) == frozenset()
    bell.close()


def test_ringing_where_nobody_lives_does_nothing(path: Path) -> None:
    ring(path, "anybody")


async def test_the_next_leader_takes_the_bell_over(path: Path) -> None:
    first, second = Doorbell(path), Doorbell(path)
    first.listen()
    second.listen()
    first.close()
    ring(path, "job")
    assert await second.wait(30) == {"job"}
    second.close()


async def test_who_rings_is_heard_before_anybody_asks(path: Path, wait_until: Any) -> None:
    heard: list[str] = []
    bell = Doorbell(path, heard=heard.append)
    bell.listen()
    bell.ring("from here")
    ring(path, "job")
    await wait_until(lambda: heard)
    assert heard == ["job"]
    assert await bell.wait(30) == {"from here", "job"}
    bell.close()
