"""Children that a fork server has forked ahead of being asked: they wait for what `spawn` brings.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Ahead:
    """The children that wait. One that nobody asks for ends with the server, however that ends."""

    def __init__(
        self,
        *,
        child: Any,
        receive: Callable[[socket.socket], tuple[dict[str, Any], list[int]]],
        send: Callable[[socket.socket, dict[str, Any], list[int]], None],
        warm_up: Callable[[], None],
        run: Callable[[Any], Any],
    ) -> None:
        """`child` is the module of that name; `run` is called in a child with the arguments of a request.

        `warm_up` is called while it waits.
        """
        self._child, self._receive, self._send = child, receive, send
        self._warm_up, self._run = warm_up, run
        self._waiting: dict[int, socket.socket] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def fork(self) -> bool:
        """Fork one; False when that is not possible now."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = self._child.fork()
        except OSError:
            ours.close()
            theirs.close()
            return False
        if pid == 0:
            self._child.live(lambda: self._wait(theirs))
        theirs.close()
        self._waiting[pid] = ours
        return True

    def give(self, request: dict[str, Any], descriptors: list[int]) -> int | None:
        """Let one run what is requested; return its pid, None when there is none."""
        while self._waiting:
            pid, order = self._waiting.popitem()
            with order, contextlib.suppress(OSError):
                self._send(order, request, descriptors)
                return pid
        return None

    def ended(self, pid: int) -> bool:
        """Forget a child that was reaped; whether it was one of those that wait."""
        order = self._waiting.pop(pid, None)
        if order is not None:
            order.close()
        return order is not None

    def close(self) -> None:
        """Let them go."""
        for order in self._waiting.values():
            order.close()
        self._waiting.clear()

    def _wait(self, order: socket.socket) -> Any:
        os.setsid()
        self._child.only(order.fileno())
        self._child.standard_streams(None)
        with contextlib.suppress(Exception):  # it is a little slower then
            self._warm_up()
        try:
            request, descriptors = self._receive(order)
        except OSError:
            return 0  # the server is gone
        order.close()
        self._child.standard_streams(descriptors[0])
        for descriptor in descriptors:
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        self._child.reseed()
        return self._run(request["arguments"])
