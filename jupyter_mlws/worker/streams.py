"""Merges the small pieces that a program prints into log lines of a sensible size. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_TEXT = 64 * 1024
"""Characters of text in one line of the log. Escaped as JSON each takes six bytes at most."""
LONGEST_WAIT = 0.05
"""Seconds that a piece waits for another one to join it."""


@dataclass(frozen=True)
class Piece:
    """Text that one cell printed to one stream."""

    cell: int
    name: str
    text: str


class StreamMerger:
    """Joins adjacent pieces of the same cell and stream, and cuts them at `LONGEST_TEXT` characters."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._of: tuple[int, str] | None = None
        self._since = 0.0

    def add(self, piece: Piece, *, now: float) -> Iterator[Piece]:
        """Take a piece and give those that are complete. `now` is in seconds of a steady clock."""
        if self._of != (piece.cell, piece.name):
            yield from self.flush()
            self._of = (piece.cell, piece.name)
        if not piece.text:
            return
        if not self._parts:
            self._since = now
        self._parts.append(piece.text)
        self._size += len(piece.text)
        if self._size >= LONGEST_TEXT:
            yield from self._cut()

    def due(self, now: float) -> bool:
        """Whether what is held has waited long enough."""
        return bool(self._parts) and now - self._since >= LONGEST_WAIT

    @property
    def holds(self) -> bool:
        """Whether anything waits."""
        return bool(self._parts)

    def flush(self) -> Iterator[Piece]:
        """Give everything that is held."""
        yield from self._cut()
        if self._parts and self._of is not None:
            yield Piece(*self._of, "".join(self._parts))
        self._parts, self._size = [], 0

    def _cut(self) -> Iterator[Piece]:
        if self._size < LONGEST_TEXT or self._of is None:
            return
        text = "".join(self._parts)
        whole = len(text) - len(text) % LONGEST_TEXT
        for start in range(0, whole, LONGEST_TEXT):
            yield Piece(*self._of, text[start : start + LONGEST_TEXT])
        rest = text[whole:]
        self._parts, self._size = ([rest] if rest else []), len(rest)
