"""A prepared child of a fork server: our ends of what leads to it, and the order that it waits for.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


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
