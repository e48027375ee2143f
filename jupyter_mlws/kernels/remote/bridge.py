"""Lets jupyter_client's own client speak with a kernel that is not reached by sockets of ZMQ."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session

from jupyter_mlws.kernels.remote.codec import Wire

_DELIMITER = b"<IDS|MSG>"
_ASKED = ("shell", "control", "stdin")
_numbers = itertools.count()


class Bridge:
    """The kernel's side of a client's channels, in this process."""

    def __init__(self, send: Callable[[Wire], None]) -> None:
        """`send` gets what the client sends."""
        self._send = send
        self._context = zmq.asyncio.Context()
        name = f"mlws-{os.getpid()}-{next(_numbers)}"
        self._sockets: dict[str, Any] = {}
        self._asking: dict[str, bytes] = {}
        self._latest: dict[str, bytes] = {}
        for channel in (*_ASKED, "iopub"):
            kind = zmq.PUB if channel == "iopub" else zmq.ROUTER
            socket = self._context.socket(kind)
            socket.setsockopt(
                zmq.SNDHWM, 0
            )  # nothing is dropped: the client keeps what it cannot take at once
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind(_address(name, channel))
            self._sockets[channel] = socket
        self._plain: dict[str, Any] = {
            channel: zmq.Socket.shadow(socket.underlying) for channel, socket in self._sockets.items()
        }
        session = Session(key=b"unused")
        session.auth = None  # nobody else can speak on sockets within a process
        self.client: Any = _Client(name, context=self._context, session=session)
        self._tasks = [asyncio.create_task(self._read(channel)) for channel in _ASKED]

    def deliver(self, wire: Wire) -> None:
        """Hand the client a message of the kernel."""
        signed = [_DELIMITER, b"", *wire.frames]
        if wire.channel == "iopub":
            self._plain["iopub"].send_multipart([wire.type.encode(), *signed], zmq.NOBLOCK)
            return
        if wire.channel not in self._plain:
            return
        identity = self._asking.get(wire.parent_id) or self._latest.get(wire.channel)
        if identity is not None:
            self._plain[wire.channel].send_multipart([identity, *signed], zmq.NOBLOCK)

    def close(self) -> None:
        """Close the sockets; the client's own are closed by `stop_channels`."""
        for task in self._tasks:
            task.cancel()
        for socket in self._sockets.values():
            socket.close(linger=0)

    async def _read(self, channel: str) -> None:
        socket = self._sockets[channel]
        while True:
            frames = await socket.recv_multipart()
            try:
                start = frames.index(_DELIMITER)
                wire = Wire.of(channel, frames[start + 2 :])
                identity = wire.id
            except ValueError as error:
                print(f"A request could not be read: {error}", flush=True)
                continue
            self._latest[channel] = self._asking[identity] = frames[0]
            self._latest.setdefault("stdin", frames[0])
            self._send(wire)


class _Client(AsyncKernelClient):
    """A client whose kernel's sockets are in this process."""

    def __init__(self, name: str, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._name = name

    def _make_url(self, channel: str) -> str:
        return _address(self._name, channel)


def _address(name: str, channel: str) -> str:
    return f"inproc://{name}-{channel}"
