"""Prepared children of a fork server: how they are made, and the order that they wait for.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Spare:
    """A child that waits behind its keeper, and our ends of what leads to them."""

    def __init__(self, pid: int, *, leash: socket.socket, order: socket.socket, words: int) -> None:
        self.pid = pid
        self.leash, self.order, self.words = leash, order, words
        self.ready = False
        self.about: dict[str, Any] = {}

    def close(self) -> None:
        """Close our ends."""
        self.leash.close()
        self.order.close()
        os.close(self.words)


class Maker:
    """Forks them."""

    def __init__(
        self,
        *,
        child: Any,
        keeper: Any,
        packets: Any,
        within: Path,
        prepare: Callable[[str], Any],
        run: Callable[[Any, Order], Any],
    ) -> None:
        """`child`, `keeper` and `packets` are the modules of these names; folders are made `within`.

        In the child, `prepare(folder)` is called first, and `run` with what it returned.
        """
        self._child, self._keeper, self._packets = child, keeper, packets
        self._within, self._prepare, self._run = within, prepare, run

    def fork(self) -> Spare | None:
        """Fork one, which is not ready yet; None when that is not possible now."""
        leash, keeper_leash = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        order, child_order = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words, child_words = os.pipe()
        try:
            pid = self._child.fork()
        except OSError:
            for end in (leash, keeper_leash, order, child_order):
                end.close()
            os.close(words)
            os.close(child_words)
            return None
        if pid == 0:
            self._child.live(lambda: self._keep(keeper_leash, child_order, child_words))
        keeper_leash.close()
        child_order.close()
        os.close(child_words)
        return Spare(pid, leash=leash, order=order, words=words)

    def _keep(self, leash: socket.socket, order: socket.socket, words: int) -> Any:
        os.setsid()
        self._child.only(leash.fileno(), order.fileno(), words)
        self._child.standard_streams(None)
        release = (order.close, lambda: os.close(words))
        return self._keeper.keep(
            leash, lambda place: self._wait(place, order, words), within=self._within, release=release
        )

    def _wait(self, place: str, order: socket.socket, words: int) -> Any:
        """In the child of the keeper: be ready, wait for the order, and run."""
        self._child.only(order.fileno(), words)
        self._child.standard_streams(words)
        state = self._prepare(place)
        self._packets.send(order, {"pid": os.getpid(), "place": place})
        return self._run(state, Order(order, packets=self._packets, reseed=self._child.reseed))


class Order:
    """What a spare waits for. Its entry calls `take` once `fileno()` can be read."""

    def __init__(self, connection: socket.socket, *, packets: Any, reseed: Callable[[], None]) -> None:
        """`packets` is the module of that name."""
        self._connection, self._packets, self._reseed = connection, packets, reseed

    def fileno(self) -> int:
        """Return the descriptor that can be read when the order is there, or can never come."""
        return self._connection.fileno()

    def take(self) -> None:
        """Become whose process it is: variables, folder, random numbers. Raises OSError, ValueError."""
        with self._connection as connection:
            wanted, _ = self._packets.receive(connection)
            os.environ.clear()
            os.environ.update(wanted["environment"])
            os.chdir(wanted["cwd"])
            self._reseed()
            self._packets.send(connection, {})
