"""Which kernel that waits on another server a worker takes, and for which it waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jupyter_mlws.kernels.remote.spares import READY, STARTING, Spares, notes
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote, Spare, Whereabouts

REMOTE = Remote(name="lab2", url="http://127.0.0.1:1")
FOUND = Whereabouts(
    name="lab2",
    url="http://127.0.0.1:1",
    session="s",
    session_id="i",
    kernel_id="k",
    spare=Spare(kernel="python3", default=True, nonce="n"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spares").mkdir()
    return tmp_path / "spares"


@pytest.fixture
def spares(folder: Path, tmp_path: Path) -> Spares:
    return Spares(folder, into=tmp_path / "taken")


async def test_one_of_another_kernelspec_is_taken_to_make_room_alone(spares: Spares, folder: Path) -> None:
    (folder / f"a{READY}").write_text(FOUND.model_dump_json())
    assert await spares.take(REMOTE, KernelChoice(name="other")) is None
    assert await spares.take_any(REMOTE) == FOUND
    assert await spares.take_any(REMOTE) is None


@pytest.mark.parametrize("to_make_room", [False, True])
async def test_one_that_is_being_started_is_waited_for(
    spares: Spares, folder: Path, to_make_room: bool
) -> None:
    starting = folder / f"a{STARTING}"
    starting.write_text(FOUND.model_dump_json())
    taking = asyncio.create_task(
        spares.take_any(REMOTE) if to_make_room else spares.take(REMOTE, KernelChoice())
    )
    await asyncio.sleep(0)
    starting.rename(folder / f"a{READY}")
    assert await taking == FOUND


async def test_those_of_other_computes_are_left_alone(spares: Spares, folder: Path) -> None:
    (folder / f"a{READY}").write_text(FOUND.model_copy(update={"name": "lab3"}).model_dump_json())
    assert await spares.take_any(REMOTE) is None
    assert notes(folder) == [folder / f"a{READY}"]
