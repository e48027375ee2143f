"""Requests of ours to a kernel on shell, and the replies that they wait for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyter_mlws.kernels.remote.caller import request
from jupyter_mlws.kernels.remote.codec import Wire
from jupyter_mlws.kernels.remote.line import Line
from jupyter_mlws.kernels.remote.server import KernelGone


class Asking:
    """What was asked of one kernel and has no reply yet."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._ended = asyncio.Event()

    async def ask(
        self, line: Line, kind: str, content: dict[str, Any], *, session: str, seconds: float
    ) -> dict[str, Any]:
        """Send a request, and return the content of its reply; empty when none came within `seconds`.

        Raises errors of ours when the line is over, and `KernelGone` when the kernel has ended.
        """
        wire = request(kind, content, session=session, channel="shell")
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._open[wire.id] = reply
        line.send(wire, keep=True)
        ended = asyncio.create_task(self._ended.wait())
        try:
            waiting: tuple[asyncio.Future[Any], ...] = (reply, line.over, ended)
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if reply.done():
                return reply.result()
            if line.over.done():
                raise line.over.result()
            if ended.done():
                raise KernelGone
            return {}
        finally:
            ended.cancel()
            self._open.pop(wire.id, None)
            line.answered(wire.id)

    def take(self, wire: Wire) -> bool:
        """Take a reply; False when nobody here waits for it."""
        waiting = self._open.get(wire.parent_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(json.loads(wire.content))
        return waiting is not None

    def end(self) -> None:
        """The kernel has ended: nothing more is answered."""
        self._ended.set()
