"""nbclient in a process that has imported it: execute the notebook on a cold kernel, keep the outputs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from protocol import AT_ONCE, FIVE_CELLS, ONE_CELL, answer


class _Watched(NotebookClient):
    first: float = 0.0

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in ("stream", "execute_result") and not self.first:
            self.first = time.perf_counter()
        return super().process_message(msg, cell, cell_index)


async def _run(path: Path) -> tuple[float, float]:
    """Return the seconds to the first output and to the end."""
    began = time.perf_counter()
    client = _Watched(nbformat.read(path, as_version=4), timeout=60)
    await client.async_execute()
    return client.first - began, time.perf_counter() - began


async def _burst(jobs: int) -> float:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with slots:
            await _run(ONE_CELL)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(jobs)))
    return time.perf_counter() - began


answer(
    {
        "first_output": lambda: asyncio.run(_run(ONE_CELL))[0],
        "notebook": lambda: asyncio.run(_run(FIVE_CELLS))[1],
        "burst": lambda jobs: asyncio.run(_burst(jobs)),
    }
)
