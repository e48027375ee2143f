"""How processes hand each other the sockets of MLflow's server: descriptors sent over a unix socket.

The leading Jupyter server listens in the runtime folder. MLflow's server gives it the sockets before it ends
for want of work; a process that starts MLflow's server takes them from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

from jupyter_mlws.tracking.listening import Listening

KEEPER = "mlflow.keep"
"""Name of the leading server's socket in the runtime folder."""
_GIVE, _TAKE, _DONE, _NONE = b"g", b"t", b"d", b"n"
_SECONDS = 2.0


class NobodyKeeps(OSError):
    """No Jupyter server leads the workspace now."""


def give(runtime: Path, listening: Listening) -> None:
    """Let the leading server have the sockets too. Raises `NobodyKeeps`, and OSError when it does not answer.

    Waits at most 2 seconds.
    """
    with _reached(runtime) as keeper:
        socket.send_fds(keeper, [_GIVE], [each.fileno() for each in listening.both])
        if keeper.recv(1) != _DONE:
            raise OSError("the leading server did not take the sockets")


def take(runtime: Path) -> Listening | None:
    """Return the sockets that the leading server keeps, None where there are none. At most 2 seconds."""
    with contextlib.suppress(OSError), _reached(runtime) as keeper:
        keeper.sendall(_TAKE)
        answer, descriptors, _, _ = socket.recv_fds(keeper, 1, 2)
        return _taken(answer, descriptors, expected=_DONE)
    return None


def _reached(runtime: Path) -> socket.socket:
    keeper = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    keeper.settimeout(_SECONDS)
    try:
        keeper.connect(os.fspath(runtime / KEEPER))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        keeper.close()
        raise NobodyKeeps(str(error)) from error
    except BaseException:
        keeper.close()
        raise
    return keeper


def _taken(answer: bytes, descriptors: list[int], *, expected: bytes) -> Listening | None:
    if answer == expected and len(descriptors) == 2:
        return Listening.received(descriptors)
    for each in descriptors:
        os.close(each)
    return None


class Keeper:
    """The leading server's end: told what is given, and asked for what is to be taken."""

    def __init__(
        self, runtime: Path, *, given: Callable[[Listening], None], kept: Callable[[], Listening | None]
    ) -> None:
        self._path = runtime / KEEPER
        self._given = given
        self._kept = kept
        self._socket: socket.socket | None = None
        self._answering: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Listen on the running event loop; whoever led before is not asked any more. Raises OSError."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.setblocking(False)
            listening.bind(os.fspath(self._path))
            self._path.chmod(0o600)
            listening.listen()
        except OSError:
            listening.close()
            raise
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening, self._answer)

    def close(self) -> None:
        """Listen no more. The path is left: it may be another leader's by now."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _answer(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(OSError):
            connection = self._socket.accept()[0]
            task = asyncio.create_task(self._serve(connection))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_SECONDS)
            asked, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, connection, 1, 2)
            if asked == _TAKE:
                kept = self._kept()
                numbers = [] if kept is None else [each.fileno() for each in kept.both]
                socket.send_fds(connection, [_DONE if numbers else _NONE], numbers)
            elif (given := _taken(asked, descriptors, expected=_GIVE)) is not None:
                self._given(given)
                connection.sendall(_DONE)
