"""What a kernel keeps of what it sent until the worker has it, and how much it sends unasked. Pure.

A part of `inside`: standard library alone, Python 3.9 or later.
"""

from __future__ import annotations

from collections import deque

_KEPT = 64 << 20  # bytes that wait for a worker that is away; beyond, the oldest go, and it is told
_PIECE = 1 << 20  # bytes of one answer
_LARGEST = 128 << 10  # bytes of a message that is sent unasked
# Half of what a Jupyter server lets through by default, so that it never has to drop anything.
_BYTES_PER_SECOND, _MESSAGES_PER_SECOND, _BURST_SECONDS = 400_000, 400, 2.0


class Budget:
    """How much may be sent unasked: so many bytes and messages a second, with a short burst."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._bytes = _BYTES_PER_SECOND * _BURST_SECONDS
        self._messages = _MESSAGES_PER_SECOND * _BURST_SECONDS

    def take(self, size: int, now: float) -> bool:
        """Take a message of `size` bytes off, if there is room for it. `now` is in seconds."""
        passed, self._at = now - self._at, now
        self._bytes = min(self._bytes + passed * _BYTES_PER_SECOND, _BYTES_PER_SECOND * _BURST_SECONDS)
        most = _MESSAGES_PER_SECOND * _BURST_SECONDS
        self._messages = min(self._messages + passed * _MESSAGES_PER_SECOND, most)
        if size > min(_LARGEST, self._bytes) or self._messages < 1:
            return False
        self._bytes -= size
        self._messages -= 1
        return True


class Kept:
    """Numbered messages, from the first that the worker has not said to have."""

    def __init__(self) -> None:
        self.first = 0
        self.size = 0
        self._messages: deque[tuple[str, list[bytes], int]] = deque()

    @property
    def next(self) -> int:
        """Return the number of the message that comes next."""
        return self.first + len(self._messages)

    def add(self, channel: str, frames: list[bytes]) -> None:
        """Keep a message; the oldest make room for it where there is too much."""
        size = sum(map(len, frames)) + 100
        self._messages.append((channel, frames, size))
        self.size += size
        while self.size > _KEPT and len(self._messages) > 1:
            self._forget()

    def heard(self, number: int) -> None:
        """Forget all before `number`: the worker has them."""
        while self._messages and self.first < number:
            self._forget()

    def piece(self, start: int) -> tuple[int, list[str], list[list[bytes]]]:
        """Return messages from `start` on, at least one if there is one: first number, channels, frames."""
        begin = max(start, self.first)
        channels: list[str] = []
        pieces: list[list[bytes]] = []
        total = 0
        for index in range(begin - self.first, len(self._messages)):
            channel, frames, size = self._messages[index]
            if pieces and total + size > _PIECE:
                break
            channels.append(channel)
            pieces.append(frames)
            total += size
        return begin, channels, pieces

    def _forget(self) -> None:
        self.size -= self._messages.popleft()[2]
        self.first += 1
