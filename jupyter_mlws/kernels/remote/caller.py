"""Calls to what `inside` is in a remote kernel: they are answered while a cell runs."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jupyter_mlws.kernels.remote.codec import Wire
from jupyter_mlws.kernels.remote.line import Line

_AGAIN_SECONDS = 3.0  # until a call without an answer is made again; then twice as long, and so on


class CallFailed(Exception):
    """What was asked could not be done there."""

    def __init__(self, kind: str, number: int | None, text: str) -> None:
        super().__init__(text or kind)
        self.kind, self.number, self.text = kind, number, text


@dataclass(frozen=True)
class Answer:
    """What came back of a call."""

    content: dict[str, Any]
    buffers: list[bytes]


class Caller:
    """Calls one kernel. A call may be carried out twice, after a cut: each can be repeated without harm."""

    def __init__(self, line: Line, *, nonce: str, heard: Callable[[], int]) -> None:
        """`nonce` is what the kernel was prepared with; `heard` tells up to which number all has come."""
        self._line, self._nonce, self._heard = line, nonce, heard
        self._session = uuid.uuid4().hex
        self._open: dict[str, asyncio.Future[Answer]] = {}

    async def call(self, do: str, *, buffers: Sequence[bytes] = (), **content: Any) -> Answer:
        """Have `do` done, however long that takes. Raises `CallFailed`, and what the line fails with."""
        wire = request(
            "mlws_request",
            {"do": do, "nonce": self._nonce, "heard": self._heard(), **content},
            session=self._session,
            buffers=buffers,
        )
        identity = wire.id
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[identity] = answer
        self._line.send(wire, keep=True)
        over = self._line.over
        try:
            waiting: tuple[asyncio.Future[Any], ...] = (answer, over)
            patience = _AGAIN_SECONDS
            while not (await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED))[0]:
                # Around a cut, a Jupyter server may lose what came just after it, too.
                self._line.send(wire.anew(), keep=True)
                patience *= 2
            if not answer.done():
                raise over.result()
        finally:
            self._open.pop(identity, None)
            self._line.answered(identity)
        found = answer.result()
        if "error" in found.content:
            raise CallFailed(
                str(found.content["error"]), found.content.get("number"), str(found.content.get("text", ""))
            )
        return found

    def take(self, wire: Wire) -> dict[str, Any]:
        """Take the answer to a call; return its content."""
        content: dict[str, Any] = json.loads(wire.content)
        waiting = self._open.get(wire.parent_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(content, wire.buffers))
        return content


def request(
    kind: str,
    content: dict[str, Any],
    *,
    session: str,
    channel: str = "control",
    buffers: Sequence[bytes] = (),
) -> Wire:
    """Return a request of ours."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": session,
        "username": "mlws",
        "version": "5.3",
        "date": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    return Wire(
        channel, json.dumps(header).encode(), content=json.dumps(content).encode(), buffers=list(buffers)
    )
