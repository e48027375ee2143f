"""Reading an attempt's event log from an offset: whole lines only, never the whole file at once."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.events import EventPage, LogEvent

_READ_BYTES = 1 << 20
_LONGEST_LINE = 16 << 20
_EVENT: TypeAdapter[LogEvent] = TypeAdapter(LogEvent)
_OUTPUT_MARK = b'"type":"output"'
_MARK_WITHIN = 96  # `t` and `type` come first in a line


class OffsetInvalid(Invalid):
    """An offset that is not the beginning of a line, or lies beyond the end."""

    code = "offset_invalid"


def read_lines(path: Path, *, offset: int, limit: int) -> tuple[list[bytes], int]:
    """Return whole lines of `path` from the byte `offset`, and the offset after the last of them.

    About `limit` bytes are read, and at least one line where a whole one is there. A line that is still
    being written is left for the next time. A file that is not there has no lines.
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
    except FileNotFoundError:
        return [], offset
    whole = piece[: piece.rfind(b"\n") + 1]
    return whole.split(b"\n")[:-1], offset + len(whole)


def is_output(line: bytes) -> bool:
    """Whether a line holds an output of the user's code, told without parsing it."""
    return _OUTPUT_MARK in line[:_MARK_WITHIN]


def parse(line: bytes) -> LogEvent:
    """Return the event that a line holds."""
    return _EVENT.validate_json(line)


def read_page(
    path: Path, *, attempt: int, offset: int, tail: int | None, limit: int, ended: bool
) -> EventPage:
    """Return a page of the log at `path`; `ended` says that the attempt is over.

    With `tail` the page begins at the first whole line of the last `tail` bytes, if that is later than
    `offset`. Raises `OffsetInvalid`.
    """
    size = path.stat().st_size if path.exists() else 0
    if offset > size or not _begins_line(path, offset):
        raise OffsetInvalid(
            f"The offset {offset} is not the beginning of an event in a log of {size} bytes.",
            hint="Begin with 0, or go on with `next` of an earlier answer.",
        )
    if tail is not None:
        offset = max(offset, _line_after(path, max(0, size - tail)))
    lines, following = read_lines(path, offset=offset, limit=limit)
    return EventPage(
        attempt=attempt,
        offset=offset,
        next=following,
        size=size,
        done=ended and following >= size,
        events=[parse(line) for line in lines],
    )


def _begins_line(path: Path, offset: int) -> bool:
    if offset == 0:
        return True
    with path.open("rb") as stream:
        stream.seek(offset - 1)
        return stream.read(1) == b"\n"


def _line_after(path: Path, offset: int) -> int:
    if offset == 0:
        return 0
    with path.open("rb") as stream:
        stream.seek(offset - 1)
        stream.readline(_LONGEST_LINE)
        return stream.tell()
