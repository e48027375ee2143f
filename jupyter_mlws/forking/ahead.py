"""Children that a fork server has forked ahead of being asked: they wait for what `spawn` brings.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWER_SECONDS = 1.0  # of one that may still be warming up
_ALL_SECONDS = 3.0  # of all of them, while whoever asked is waiting
_WARM, _TAKEN = {"warm": True}, {"taken": True}


class Ahead:
    """The children that wait. One that nobody asks for ends with the server, however that ends."""

    def __init__(
        self,
        *,
        child: Any,
        packets: Any,
        warm_up: Callable[[], None],
        run: Callable[[Any], Any],
    ) -> None:
        """`child` and `packets` are the modules of these names.

        In a child `warm_up` is called while it waits, and `run` with the arguments of a request.
        """
        self._child, self._packets = child, packets
        self._warm_up, self._run = warm_up, run
        self._waiting: dict[int, socket.socket] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def fork(self, *, warm: bool = True) -> bool:
        """Fork one; False when that is not possible now. One that is needed at once does not warm up."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            pid = self._child.fork()
        except OSError:
            ours.close()
            theirs.close()
            return False
        if pid == 0:
            self._child.live(lambda: self._wait(theirs, warm=warm))
        theirs.close()
        self._waiting[pid] = ours
        return True

    def give(self, request: dict[str, Any], descriptors: list[int]) -> int | None:
        """Let one run what is requested; return its pid, None when there is none."""
        until = time.monotonic() + _ALL_SECONDS
        while self._waiting and time.monotonic() < until:
            pid = self._next()
            with self._waiting.pop(pid) as order:
                if self._hand(order, request, descriptors):
                    return pid
            # Killed a moment ago, or stopped: nobody is to run this twice.
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return None

    def _next(self) -> int:
        """Return the last that has warmed up, whose memory is in the processor's caches; else the first."""
        warm, _, _ = select.select(list(self._waiting.values()), [], [], 0)
        pids = [pid for pid, order in self._waiting.items() if order in warm]
        return pids[-1] if pids else next(iter(self._waiting))

    def _hand(self, order: socket.socket, request: dict[str, Any], descriptors: list[int]) -> bool:
        """Whether it says that it has what is requested."""
        try:
            self._packets.send(order, request, descriptors)
            while select.select([order], [], [], _ANSWER_SECONDS)[0]:
                answer, _ = self._packets.receive(order)
                if answer == _TAKEN:
                    return True
        except OSError:
            pass
        return False

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

    def _wait(self, order: socket.socket, *, warm: bool) -> Any:
        os.setsid()
        self._child.only(order.fileno())
        self._child.standard_streams(None)
        if warm:
            with contextlib.suppress(Exception):  # it is a little slower then
                self._warm_up()
        try:
            self._packets.send(order, _WARM)
            request, descriptors = self._packets.receive(order)
            self._packets.send(order, _TAKEN)
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
