"""What became of requests to a kernel that does not number what it sends, when the connection was cut.

Nothing of ours is in such a kernel, so it may not be asked twice: its server keeps what comes for a session
that is away, but not what was under way. Where a reply is lost the outcome is not known, and that is said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from jupyter_mlws.kernels.remote.caller import request
from jupyter_mlws.kernels.remote.codec import Wire
from jupyter_mlws.model.errors import ErrorInfo, MlwsError

_ANSWER_SECONDS = 5.0
_LOOKS = 3  # at a kernel that its server calls idle and that answers nothing, until it is given up
_BUSY = "busy"

State = Callable[[], Awaitable["str | None"]]


class Unnumbered:
    """The requests of one kernel that have no reply yet."""

    def __init__(self, *, name: str, send: Callable[[Wire], None], state: State) -> None:
        """`name` is the compute's; `state` asks the server for the kernel's: None when it is gone."""
        self._name, self._send, self._state = name, send, state
        self._open: set[str] = set()
        self._barriers: set[str] = set()
        self._passed = asyncio.Event()
        self._settling = False

    @property
    def unsettled(self) -> bool:
        """Whether a reply is still to come, and nobody sees to it yet."""
        return bool(self._open) and not self._settling

    @property
    def warning(self) -> str:
        """What is to be said of its output after a cut."""
        return (
            f"Output may be missing here: {self._name} keeps what a kernel of this language says while "
            "nobody listens, but not what was under way when the connection was cut."
        )

    def sent(self, wire: Wire) -> None:
        """Learn of a request of the client."""
        if wire.type == "execute_request":
            self._open.add(wire.id)

    def hear(self, wire: Wire) -> bool:
        """Learn of a message of the kernel; True when it is an answer to us alone."""
        parent = wire.parent_id
        if wire.channel == "shell":
            self._open.discard(parent)
            if parent in self._barriers:
                self._passed.set()
        return parent in self._barriers

    async def settle(self, session: str) -> ErrorInfo | None:
        """After a cut: wait until all requests have their replies; return why one will never come.

        The kernel takes requests in turn: when it has answered a later one, no reply to an earlier one is
        still under way. Where that answer is lost, too, its server says whether it still works.
        """
        self._settling = True
        try:
            return await self._settle(session)
        finally:
            self._settling = False

    async def _settle(self, session: str) -> ErrorInfo | None:
        silent = 0
        while self._open:
            barrier = request("kernel_info_request", {}, session=session, channel="shell")
            self._barriers.add(barrier.id)
            self._passed.clear()
            self._send(barrier)
            try:
                await asyncio.wait_for(self._passed.wait(), _ANSWER_SECONDS)
            except TimeoutError:
                silent += 1
            if not self._open:
                return None
            try:
                state = await self._state()
            except MlwsError:
                return None  # the connection says more, and we are asked anew when it is back
            if state == _BUSY:
                # It works on; some kernels answer such questions meanwhile.
                silent = 0
                if self._passed.is_set():
                    await asyncio.sleep(_ANSWER_SECONDS)
            elif self._open and (state is None or self._passed.is_set() or silent >= _LOOKS):
                return self._unknown()
        return None

    def _unknown(self) -> ErrorInfo:
        return ErrorInfo(
            code="connection_lost",
            message=f"The connection to the compute {self._name!r} was cut, and the kernel's reply was lost "
            "with it, so that it is not known how the code ended there.",
            hint="See what the job has done before you run it again. With a Python kernel nothing is lost.",
        )


def died(wire: Wire, *, began: bool) -> bool:
    """Whether a message says that the kernel died; `began` when it had begun already. Pure."""
    if wire.type != "status":
        return False
    state = json.loads(wire.content).get("execution_state")
    return state in ("restarting", "autorestarting", "dead") or (began and state == "starting")
