"""A websocket to one kernel that is connected again when it is cut."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from tornado.websocket import WebSocketClosedError

from jupyter_mlws.kernels.remote.codec import Wire, decode, encode
from jupyter_mlws.kernels.remote.server import KernelGone, RemoteServer
from jupyter_mlws.kernels.remote.troubles import ConnectionLost, NotJupyter, TokenRefused, Unreachable
from jupyter_mlws.kernels.remote.websocket import Socket
from jupyter_mlws.model.errors import MlwsError

_SILENT_SECONDS = 6.0  # without a sign of life, the connection counts as cut
_FIRST_SECONDS = 90.0
_AGAIN_SECONDS = (3.0, 5.0, 10.0, 20.0)
_PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0)
_FIRST_TRIES = 3

Say = Callable[[str, str], None]
"""Tells the user a sentence; the other word is its level: info, warning or error."""


class Line:
    """Sends messages to a kernel and hears those that come, whatever becomes of the connection between.

    A request that is `kept` is sent again after a cut, until its answer was heard: whoever gets it must
    know it again.
    """

    def __init__(
        self,
        server: RemoteServer,
        kernel: str,
        *,
        session_id: str,
        hear: Callable[[Wire], None],
        back: Callable[[], None],
        say: Say,
        patience: float,
    ) -> None:
        """`back` is called after each connection; `patience` is how long a lost one is tried, in seconds."""
        self._server, self._kernel, self._session_id = server, kernel, session_id
        self._hear, self._back, self._say = hear, back, say
        self._patience = patience
        self._connections = 0
        self.renews = False
        """Whether a session of its own is taken for each connection.

        A server that has not noticed a cut yet opens sockets of the same identity for the same session,
        beside those that it has: the kernel's answers then go to either. Where nothing depends on what a
        server keeps for a lost session, as with a kernel that numbers what it sends, a new one is better.
        """
        self._kept: dict[str, Wire] = {}
        self._outbox: asyncio.Queue[Wire] = asyncio.Queue()
        self._socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self.over: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Why it is over: an error of ours, or `KernelGone`."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection now, as far as is known."""
        return self._socket is not None

    async def open(self) -> None:
        """Connect for the first time. Raises errors of ours, and `KernelGone`."""
        for number in range(_FIRST_TRIES):
            try:
                socket = await self._connect(_FIRST_SECONDS)
                break
            except Unreachable:
                if number == _FIRST_TRIES - 1:
                    raise
                await asyncio.sleep(_PAUSES[number + 1])
        self._task = asyncio.create_task(self._run(socket))

    def send(self, wire: Wire, *, keep: bool = False) -> None:
        """Send a message."""
        if keep:
            self._kept[wire.id] = wire
        if self._socket is not None:
            self._outbox.put_nowait(wire)

    def send_again(self) -> None:
        """Send again what has no answer yet: the server may have dropped it while it was connected to."""
        if self._socket is not None:
            for wire in self._kept.values():
                # A call is answered again. What was asked on shell must not be done twice: the kernel
                # drops it if it has it, and its answer is fetched.
                self._outbox.put_nowait(wire.anew() if wire.channel == "control" else wire)

    def answered(self, identity: str) -> None:
        """A kept request has its answer."""
        self._kept.pop(identity, None)

    async def close(self) -> None:
        """Close the connection, for good."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if not self.over.done():
            self.over.set_result(KernelGone())

    async def _run(self, socket: Socket) -> None:
        try:
            while True:
                await self._serve(socket)
                socket = await self._again()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if not self.over.done():
                self.over.set_result(error)

    async def _serve(self, socket: Socket) -> None:
        """Send and hear until the connection is gone."""
        self._socket = socket
        self._outbox = asyncio.Queue()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._hear_all(socket),
                self._send_all(socket),
                socket.silent(seconds=_SILENT_SECONDS),
            )
        ]
        try:
            self._back()
            self.send_again()
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._socket = None
            for task in tasks:
                task.cancel()
            socket.close()

    async def _hear_all(self, socket: Socket) -> None:
        while (data := await socket.receive()) is not None:
            try:
                wire = decode(data, protocol=socket.protocol)
            except ValueError as error:
                print(f"A message could not be read: {error}", flush=True)
                continue
            self._hear(wire)

    async def _send_all(self, socket: Socket) -> None:
        with contextlib.suppress(WebSocketClosedError):
            while True:
                await socket.send(encode(await self._outbox.get(), protocol=socket.protocol))

    async def _again(self) -> Socket:
        """Connect again; say so. Raises what makes it useless to try on."""
        name, lost_at = self._server.name, time.monotonic()
        self._say(
            f"The connection to {name} was lost; trying again for up to {_span(self._patience)}.", "warning"
        )
        tries = 0
        while True:
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
            left = self._patience - (time.monotonic() - lost_at)
            try:
                socket = await self._connect(
                    max(1.0, min(_AGAIN_SECONDS[min(tries, len(_AGAIN_SECONDS)) - 1], left))
                )
            except (KernelGone, TokenRefused, NotJupyter):
                raise
            except MlwsError as error:
                if time.monotonic() - lost_at > self._patience:
                    raise _given_up(name, self._server.url, self._patience, error) from error
                continue
            self._say(f"The connection to {name} is back after {_span(time.monotonic() - lost_at)}.", "info")
            return socket

    async def _connect(self, seconds: float) -> Socket:
        self._connections += 1
        session = f"{self._session_id}-{self._connections}" if self.renews else self._session_id
        return await self._server.connect(self._kernel, session_id=session, seconds=seconds)


def _given_up(name: str, url: str, patience: float, error: MlwsError) -> ConnectionLost:
    return ConnectionLost(
        f"The connection to the compute {name!r} was lost and did not come back within {_span(patience)}, "
        f"so that what became of the job there is not known. {error.message}",
        hint="See what the job has done before you run it again.",
    )


def _span(seconds: float) -> str:
    """Return a time in words: `3 s`, `5 min`."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
