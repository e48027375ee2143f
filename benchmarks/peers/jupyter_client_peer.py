"""A cold kernel by jupyter_client: start, wait until it is ready, execute. No executed notebook is kept."""

from __future__ import annotations

import asyncio
import json
import time

from jupyter_client.manager import AsyncKernelManager
from protocol import AT_ONCE, FIVE_CELLS, answer


async def _run(sources: list[str]) -> tuple[float, float]:
    """Run the sources on a new kernel; return the seconds to the first output and to the end."""
    began = time.perf_counter()
    first = 0.0
    manager = AsyncKernelManager()
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        for source in sources:
            request = client.execute(source)
            while True:
                message = await client.get_iopub_msg(timeout=60)
                if message["parent_header"].get("msg_id") != request:
                    continue
                kind = message["msg_type"]
                if kind in ("stream", "execute_result") and not first:
                    first = time.perf_counter() - began
                if kind == "error":
                    raise RuntimeError(message["content"]["evalue"])
                if kind == "status" and message["content"]["execution_state"] == "idle":
                    break
        return first, time.perf_counter() - began
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def _burst(jobs: int) -> float:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with slots:
            await _run(["print(1 + 1)"])

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(jobs)))
    return time.perf_counter() - began


def _sources() -> list[str]:
    cells = json.loads(FIVE_CELLS.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


answer(
    {
        "first_output": lambda: asyncio.run(_run(["print(1 + 1)"]))[0],
        "notebook": lambda: asyncio.run(_run(_sources()))[1],
        "burst": lambda jobs: asyncio.run(_burst(jobs)),
    }
)
