"""What a kernel that numbers its messages has sent: handed on once and in order; what lacks is fetched."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from jupyter_mlws.kernels.remote.caller import Caller
from jupyter_mlws.kernels.remote.codec import Wire
from jupyter_mlws.kernels.remote.line import Say
from jupyter_mlws.kernels.remote.sequence import Sequence


class Inbox:
    """The messages of one kernel, once `inside` is in it."""

    def __init__(
        self,
        *,
        deliver: Callable[[Wire], None],
        say: Say,
        beside: Callable[[Callable[[], Awaitable[None]]], None],
    ) -> None:
        """`deliver` gets each message in its turn; `beside` does work beside what comes."""
        self._deliver, self._say, self._beside = deliver, say, beside
        self._sequence = Sequence()
        self._caller: Caller | None = None
        self._session = ""
        self._pulling = self._closed = False

    @property
    def heard(self) -> int:
        """The number up to which all has come."""
        return self._sequence.expected

    def begin(self, caller: Caller, *, session: str, first: int) -> None:
        """Take messages of the kernel's `session` from the number `first` on; ask `caller` for what lacks."""
        self._caller, self._session = caller, session
        self._sequence = Sequence(expected=first, known=first)

    def close(self) -> None:
        """Fetch nothing more."""
        self._closed = True

    def take(self, wire: Wire) -> bool:
        """Take a message; False when it is none of those that are numbered, nor about them."""
        kind = wire.type
        if kind == "mlws_reply" and self._caller is not None:
            self._sequence.learn(int(self._caller.take(wire).get("next", 0)))
        elif kind == "mlws_hint":
            self._sequence.learn(int(json.loads(wire.content)["next"]))
        elif (number := wire.number) is not None and wire.session == self._session:
            for ready in self._sequence.take(wire, number):
                self._deliver(ready)
        else:
            return False
        self.pull()
        return True

    def pull(self) -> None:
        """Fetch what is known to be missing."""
        if not (self._pulling or self._closed) and self._caller is not None and self._sequence.lacks:
            self._pulling = True
            caller = self._caller
            self._beside(lambda: self._fetch(caller))

    async def _fetch(self, caller: Caller) -> None:
        try:
            while self._sequence.lacks:
                await self._fetch_piece(caller)
        finally:
            self._pulling = False

    async def _fetch_piece(self, caller: Caller) -> None:
        answer = await caller.call("pull", start=self._sequence.expected)
        first = int(answer.content["first"])
        if first > self._sequence.expected:
            self._skip_to(first)
        at = 0
        for number, (channel, count) in enumerate(
            zip(answer.content["channels"], answer.content["frames"], strict=True), start=first
        ):
            frames = answer.buffers[at : at + count]
            at += count
            wire = Wire("record", frames[0], frames[1]) if channel == "record" else Wire.of(channel, frames)
            for ready in self._sequence.take(wire, number):
                self._deliver(ready)

    def _skip_to(self, number: int) -> None:
        lost, ready = self._sequence.skip_to(number)
        if lost:
            text = f"Output is missing here: {lost:,} messages were more than the kernel could keep."
            self._say(text, "warning")
        for wire in ready:
            self._deliver(wire)
