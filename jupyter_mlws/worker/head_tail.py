"""What an executed notebook keeps of a text that is too long: its beginning and its end. Pure."""

from __future__ import annotations

import re
from collections import deque

KEPT = 128 * 1024
"""Characters kept of each end."""
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n\r])")
_LONGEST_LINE = 64 * 1024


class HeadTail:
    """A text that grows without taking memory: the first and the last `kept` characters stay.

    A line that the program wrote over after a carriage return, as progress bars do, counts in its last
    form alone.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        self._kept = kept
        self._head: list[str] = []
        self._head_size = 0
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._line = ""
        self._left_out = 0
        self._left_out_lines = 0

    def add(self, text: str) -> None:
        """Append `text`."""
        text = self._line + text
        if "\r" in text:
            text = _OVERWRITTEN.sub("", text)
        end = text.rfind("\n") + 1
        if len(text) - end > _LONGEST_LINE:
            end = len(text)
        self._line = text[end:]
        if end:
            self._keep(text[:end])

    def render(self) -> str:
        """Return the text, with a sentence in the place of what was left out."""
        tail = "".join(self._tail) + self._line
        if not self._left_out:
            return "".join(self._head) + tail
        note = (
            f"\n[... {self._left_out:,} characters ({self._left_out_lines:,} lines) are left out here; "
            "the job's log has them all ...]\n"
        )
        return "".join(self._head) + note + tail

    def _keep(self, text: str) -> None:
        room = self._kept - self._head_size
        if room > 0:
            self._head.append(text[:room])
            self._head_size += len(text[:room])
            text = text[room:]
        if not text:
            return
        self._tail.append(text)
        self._tail_size += len(text)
        while self._tail_size > self._kept:
            over = self._tail_size - self._kept
            first = self._tail.popleft()
            gone, rest = first[:over], first[over:]
            self._tail_size -= len(gone)
            self._left_out += len(gone)
            self._left_out_lines += gone.count("\n")
            if rest:
                self._tail.appendleft(rest)
