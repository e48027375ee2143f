from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.reconcile.doorbell import Doorbell, ring
from jupyter_mlws.worker.doorbell import Doorbell as WorkersBell


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


async def test_who_is_patient_waits_for_others_and_who_is_not_does_not(path: Path) -> None:
    bell = Doorbell(path)
    bell.listen()
    bell.ring("grew", patient=True)
    waiting = asyncio.create_task(bell.wait(600, patience=600))
    await asyncio.sleep(0)
    worker = WorkersBell(str(path), name="log")
    worker.ring()
    worker.ring(at_once=True)
    async with asyncio.timeout(30):
        assert await waiting == {"grew", "log"}
    bell.ring("grew", patient=True)
    assert await bell.wait(600, patience=0.01) == {"grew"}
    bell.close()
