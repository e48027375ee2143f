"""Talks with a kernel over its channels: asks, and hands on what comes back. Never waits without limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from jupyter_mlws.worker.fifo import Fifo

_WAIT = 0.2  # seconds at most between two looks at the state of things
_WAIT_FOR_MORE = 0.02  # the same while something is held back to be merged
_TURN = 0.02  # seconds of work on messages before others on the event loop get their turn
_QUIET = (
    3.0  # seconds without output after a reply, or a status, until the kernel is asked whether that is all
)
_GIVE_UP = 10.0  # seconds without output after its answer until the cell is over, statuses or not
_LAST_GASP = 0.3  # seconds to wait for output that is still under way when the kernel died
_AFTER_GOODBYE = 0.002  # seconds: what is printed while it ends comes after its goodbye
_IN_MEMORY = 16 << 20  # bytes of messages that wait; beyond, they wait on the disk
_RECONNECT_MS = 10  # ZMQ's own 100 ms would be lost at each start

Message = dict[str, Any]


class KernelDied(Exception):
    """The kernel's process ended while something was asked of it."""


@dataclass
class Exchange:
    """A request, and what came back of it so far."""

    id: str
    cell: int | None
    """The cell it runs; None for a request of our own."""
    reply: Message | None = None
    """Content of the reply."""
    error: Message | None = None
    """Content of the last `error` message."""
    idle_at: float | None = None
    active_at: float = 0.0
    barrier: str | None = None
    """A later request: once the kernel is idle after it, nothing of this one is still to come."""
    answered_at: float | None = None
    """When the barrier was answered."""
    passed: bool = False
    """Whether the kernel was idle after the barrier."""


class Conversation:
    """One client's channels.

    `tend` is awaited at least every 0.2 s: whoever watches limits and wishes does it there. It raises
    `KernelDied` when there is nothing more to wait for.
    """

    def __init__(
        self,
        client: Any,
        *,
        spool: Path,
        hear: Callable[[Message, int], None],
        hold: Callable[[], bool],
        tend: Callable[[], Awaitable[None]],
    ) -> None:
        """Open the channels of `client` (jupyter_client's asynchronous one); `spool` is a folder on disk.

        `hear` gets a message of iopub and the index of the cell it belongs to. `hold` says whether what was
        heard waits to be merged with more.
        """
        self._hear, self._hold, self._tend = hear, hold, tend
        self.client = client
        # Unlimited: what we do not take at once must not be dropped. It is taken to the disk instead.
        client.context.setsockopt(zmq.RCVHWM, 0)
        client.context.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        client.start_channels(hb=False)
        client.allow_stdin = False
        self._sockets = {
            name: getattr(client, f"{name}_channel").socket for name in ("iopub", "shell", "stdin", "control")
        }
        self._poller = zmq.asyncio.Poller()
        for socket in self._sockets.values():
            self._poller.register(socket, zmq.POLLIN)
        self._plain: dict[str, Any] = {
            name: zmq.Socket.shadow(socket.underlying) for name, socket in self._sockets.items()
        }
        self._waiting = Fifo(folder=spool, memory=_IN_MEMORY)
        self._exchanges: dict[str, Exchange] = {}
        self._cell = 0
        self._iopub_heard = self._goodbye = False
        self._info: Message | None = None
        self.asked_for_input = False

    async def ready(self) -> Message:
        """Wait until the kernel answers on shell and iopub; return its `kernel_info`. No limit of its own."""
        asked_at = 0.0
        while True:
            now = time.monotonic()
            # Asked again until iopub is heard: the subscription may not have reached the kernel.
            if now - asked_at > (0.05 if self._info is not None else 1.0):
                self.client.kernel_info()
                asked_at = now
            if not self._take_turn():
                await self._wait(0.05)
            if self._info is not None and self._iopub_heard:
                return self._info
            await self._tend()

    async def run(
        self, code: str, *, cell: int | None = None, may_fail: bool = False, ask: str | None = None
    ) -> Exchange:
        """Execute `code` and return how it went, once all its output was heard.

        Without `cell` the request is silent and leaves no trace in the kernel's history. `ask` is an
        expression that the kernel evaluates afterwards; its text is in the reply's `user_expressions`.
        """
        exchange = self._send(code, cell=cell, may_fail=may_fail, ask=ask)
        await self._until(lambda: self._over(exchange))
        if cell is None:
            del self._exchanges[exchange.id]
        return exchange

    def begin_ask(self, ask: str) -> Exchange:
        """Have the kernel evaluate an expression as soon as it can; `ready` need not have been waited for."""
        return self._send("None", cell=None, may_fail=False, ask=ask)

    async def answered(self, exchange: Exchange) -> Exchange:
        """Wait for the reply to what `begin_ask` began. Its outputs, if any, may have been missed."""
        await self._until(lambda: exchange.reply is not None)
        del self._exchanges[exchange.id]
        return exchange

    def _send(self, code: str, *, cell: int | None, may_fail: bool, ask: str | None) -> Exchange:
        silent = cell is None
        if cell is not None:
            self._cell = cell
        identity = self.client.execute(
            code,
            silent=silent,
            store_history=not silent,
            allow_stdin=False,
            stop_on_error=not may_fail,
            user_expressions={"answer": ask} if ask else {},
        )
        exchange = Exchange(id=identity, cell=cell, active_at=time.monotonic())
        self._exchanges[identity] = exchange
        return exchange

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self._take_turn():
                await asyncio.sleep(0)
            else:
                await self._wait(_WAIT_FOR_MORE if self._hold() else _WAIT)
            try:
                await self._tend()
            except KernelDied:
                await self._hear_the_rest()
                raise

    async def drain(self, *, seconds: float) -> None:
        """Hear what still comes, until nothing came for `seconds`, or less once the kernel said goodbye."""
        while True:
            if self._take_turn():
                await asyncio.sleep(0)
            elif not await self._wait(min(seconds, _AFTER_GOODBYE) if self._goodbye else seconds):
                return

    async def _hear_the_rest(self) -> None:
        await self.drain(seconds=_LAST_GASP)

    def close(self) -> None:
        """Stop the channels."""
        self.client.stop_channels()
        self._waiting.close()

    def _over(self, exchange: Exchange) -> bool:
        if exchange.reply is not None and exchange.idle_at is not None:
            return True
        if self._waiting or (exchange.reply is None and exchange.idle_at is None):
            return False
        # One of the two is missing. Some kernels lose one (a widget's comm message in the middle of a cell
        # is enough), and waiting for it would last for ever; or it is only late, behind much output.
        quiet = time.monotonic() - exchange.active_at
        if quiet > _QUIET and exchange.barrier is None:
            exchange.barrier = self.client.kernel_info()
        answered = exchange.answered_at
        return exchange.passed or (answered is not None and time.monotonic() - answered > _GIVE_UP)

    async def _wait(self, seconds: float) -> bool:
        return bool(await self._poller.poll(seconds * 1000))

    def _take_turn(self) -> bool:
        """Work on messages for a short while; False when there were none."""
        worked = False
        end = time.monotonic() + _TURN
        while True:
            worked = self._take_in() or worked
            frames = self._waiting.pop()
            if frames is None:
                return worked
            worked = True
            self._on_iopub(frames)
            if time.monotonic() > end:
                return True

    def _take_in(self) -> bool:
        """Empty all sockets at once, so that neither they nor the kernel have to hold messages."""
        came = False
        for frames in _received(self._plain["iopub"]):
            self._waiting.push(frames)
            came = True
        for name in ("shell", "control"):
            for frames in _received(self._plain[name]):
                self._on_reply(frames)
                came = True
        for frames in _received(self._plain["stdin"]):
            self._on_stdin(frames)
            came = True
        return came

    def _message(self, frames: list[bytes]) -> Message | None:
        session = self.client.session
        try:
            _, parts = session.feed_identities(frames)
            message: Message = session.deserialize(parts)
        except Exception as error:  # a message that is broken or not signed is not the kernel's
            print(f"A message could not be read: {error!r}", flush=True)
            return None
        return message

    def _on_reply(self, frames: list[bytes]) -> None:
        message = self._message(frames)
        if message is None:
            return
        if message["msg_type"] == "kernel_info_reply":
            self._info = message["content"]
        exchange = self._exchanges.get(message["parent_header"].get("msg_id", ""))
        if exchange is not None:
            exchange.reply = message["content"]
            exchange.active_at = time.monotonic()
        for waiting in self._exchanges.values():
            if waiting.barrier is not None and waiting.barrier == message["parent_header"].get("msg_id"):
                waiting.answered_at = time.monotonic()

    def _on_stdin(self, frames: list[bytes]) -> None:
        message = self._message(frames)
        if message is not None and message["msg_type"] == "input_request":
            self.asked_for_input = True

    def _on_iopub(self, frames: list[bytes]) -> None:
        message = self._message(frames)
        if message is None:
            return
        self._iopub_heard = True
        exchange = self._exchanges.get(message["parent_header"].get("msg_id", ""))
        now = time.monotonic()
        if exchange is not None:
            exchange.active_at = now
        kind = message["msg_type"]
        if kind == "status":
            if message["content"].get("execution_state") == "idle":
                self._on_idle(message["parent_header"].get("msg_id", ""), now)
            return
        if kind == "shutdown_reply":
            self._goodbye = True
        if kind == "error" and exchange is not None:
            exchange.error = message["content"]
        # Output of nobody's (a thread, a widget's callback) belongs to the cell that runs.
        cell = self._cell if exchange is None or exchange.cell is None else exchange.cell
        own = exchange is not None and exchange.cell is None
        if kind not in ("iopub_welcome", "shutdown_reply") and not (own and kind != "stream"):
            self._hear(message, cell)

    def _on_idle(self, parent: str, now: float) -> None:
        for exchange in self._exchanges.values():
            if exchange.id == parent:
                exchange.idle_at = now
            elif exchange.barrier == parent:
                exchange.passed = True


def _received(socket: Any) -> Any:
    while True:
        try:
            yield socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
