"""Reading an attempt's event log from an offset: whole lines only, never the whole file at once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.events import EventPage, LogEvent, Message
from jupyter_mlws.model.job import Job

_READ_BYTES = 1 << 20
_LONGEST_LINE = 16 << 20
_PIECE_BYTES = 4 << 20
_SHOWN = 100
_EVENT: TypeAdapter[LogEvent] = TypeAdapter(LogEvent)
_OUTPUT_MARK = b'"type":"output"'
_MARK_WITHIN = 96  # `t` and `type` come first in a line


class OffsetInvalid(Invalid):
    """An offset that is not the beginning of a line, or lies beyond the end."""

    code = "offset_invalid"


def read_lines(path: Path, *, offset: int, limit: int) -> tuple[list[bytes], int]:
    """Return whole lines of `path` from the byte `offset`, and the offset after the last of them.

    About `limit` bytes are read, and at least one line where a whole one is there. A line that is still
    being written is left for the next time; of one longer than any of ours the rest is dropped. A file
    that is not there has no lines.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            piece = stream.read(limit)
            while b"\n" not in piece and len(piece) < _LONGEST_LINE:
                more = stream.read(_READ_BYTES)
                if not more:
                    return [], offset
                piece += more
            if b"\n" not in piece:
                reached = _end_of_line(stream)
                return ([], offset) if reached is None else ([piece], reached)
    except FileNotFoundError:
        return [], offset
    whole = piece[: piece.rfind(b"\n") + 1]
    return whole.split(b"\n")[:-1], offset + len(whole)


def read_events(path: Path, offset: int) -> tuple[list[LogEvent], int]:
    """Return what a log says from `offset` on, without outputs, and the offset reached; 4 MiB at a time."""
    lines, reached = read_lines(path, offset=offset, limit=_PIECE_BYTES)
    return parse_all(line for line in lines if not is_output(line)), reached


def last_events(path: Path, offset: int) -> list[LogEvent]:
    """Return the events, without outputs, of the last 4 MiB before `offset`, the beginning of a line."""
    begin = max(0, offset - _PIECE_BYTES)
    try:
        with path.open("rb") as stream:
            stream.seek(begin)
            piece = stream.read(offset - begin)
    except FileNotFoundError:
        return []
    lines = piece.split(b"\n")[1 if begin else 0 :]
    return parse_all(line for line in lines if line and not is_output(line))


def is_output(line: bytes) -> bool:
    """Whether a line holds an output of the user's code, told without parsing it."""
    return _OUTPUT_MARK in line[:_MARK_WITHIN]


def parse_all(lines: Iterable[bytes]) -> list[LogEvent]:
    """Return the events that lines hold; where one cannot be read, a warning stands in its place."""
    events: list[LogEvent] = []
    for line in lines:
        try:
            events.append(_EVENT.validate_json(line))
        except ValidationError:
            shown = line[:_SHOWN].decode("utf-8", "replace")
            text = f"A line of the log cannot be read: {shown}"
            events.append(Message(t=events[-1].t if events else time.time(), level="warning", text=text))
    return events


def read_page(path: Path, job: Job, *, attempt: int, offset: int, tail: int | None, limit: int) -> EventPage:
    """Return a page of the log at `path`, of an attempt at `job`; the record was read before this is called.

    With `tail` the page begins at the first whole line of the last `tail` bytes, if that is later than
    `offset`. Raises `OffsetInvalid`.
    """
    size = size_of(path)
    if offset > size or not _begins_line(path, offset):
        raise OffsetInvalid(
            f"The offset {offset} is not the beginning of an event in a log of {size} bytes.",
            hint="Begin with 0, or go on with `next` of an earlier answer.",
        )
    if tail is not None:
        offset = max(offset, _line_after(path, max(0, size - tail)))
    lines, following = read_lines(path, offset=offset, limit=limit)
    ended = attempt < job.attempt or job.status.is_terminal
    return EventPage(
        attempt=attempt,
        newest=job.attempt,
        status=job.status,
        offset=offset,
        next=following,
        size=size,
        done=ended and following >= size,
        events=parse_all(lines),
    )


def size_of(path: Path) -> int:
    """Return the bytes of a log; 0 of one that is not there yet."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _begins_line(path: Path, offset: int) -> bool:
    if offset == 0:
        return True
    with path.open("rb") as stream:
        stream.seek(offset - 1)
        return stream.read(1) == b"\n"


def _end_of_line(stream: BinaryIO) -> int | None:
    """Return the offset after the next newline, None when there is none yet."""
    while more := stream.read(_READ_BYTES):
        if (found := more.find(b"\n")) >= 0:
            return stream.tell() - len(more) + found + 1
    return None


def _line_after(path: Path, offset: int) -> int:
    if offset == 0:
        return 0
    with path.open("rb") as stream:
        stream.seek(offset - 1)
        stream.readline(_LONGEST_LINE)
        return stream.tell()
