"""The records of a spool as they are shipped: put together as far as one transaction may take them. Pure.

What is in a record is said in tracking/spool.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Record: TypeAlias = dict[str, Any]

API = "/api/2.0/mlflow/"
CREATE_RUN, UPDATE_RUN, LOG_BATCH = (API + f"runs/{name}" for name in ("create", "update", "log-batch"))
RECORDS_A_PIECE, BYTES_A_PIECE = 2000, 1_000_000
"""Of one transaction: others wait for it, and after a crash it is repeated."""
_READ = 4 << 20
_KINDS = ("run", "method", "artifact", "end", "wake")


class Entry(NamedTuple):
    """A record, and the offset after it."""

    record: Record
    end: int


class Piece(NamedTuple):
    """What is applied together."""

    entries: list[Entry]
    """None where only wishes and empty lines were read."""
    end: int
    """The offset after it."""
    together: bool
    """Whether it may go into one transaction; otherwise it is one record."""


def pieces(lines: Iterable[tuple[bytes, int]]) -> Iterator[Piece]:
    """Put records together; `lines` come with the offset after each.

    A line that cannot be read becomes the record `{"broken": line}`.
    """
    entries: list[Entry] = []
    size = end = 0
    for line, after in lines:
        record = _parsed(line)
        if record is None:
            end = after
            continue
        together = _goes_together(record)
        if entries and (not together or len(entries) >= RECORDS_A_PIECE or size + len(line) > BYTES_A_PIECE):
            yield Piece(entries, end, together=True)
            entries, size = [], 0
        if together:
            entries.append(Entry(record, after))
            size, end = size + len(line), after
        else:
            yield Piece([Entry(record, after)], after, together=False)
            end = 0
    if end:
        yield Piece(entries, end, together=True)


def _goes_together(record: Record) -> bool:
    """Whether it is one of those that tracking/rows.py writes, or a file."""
    return (
        "run" in record
        or "artifact" in record
        or "end" in record
        or record.get("path") in (CREATE_RUN, UPDATE_RUN)
    )


def _parsed(line: bytes) -> Record | None:
    if not line.strip():
        return None
    try:
        record = json.loads(line)
        if isinstance(record, dict) and any(key in record for key in _KINDS):
            return None if "wake" in record else record
    except ValueError:
        pass
    return {"broken": line[:200].decode("utf-8", "replace")}


def read_lines(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Give the whole lines of the file at `path` from `offset` on, each with the offset after it."""
    with path.open("rb") as stream:
        stream.seek(offset)
        rest = b""
        while piece := stream.read(_READ):
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                offset += len(line) + 1
                yield line, offset
        # What is left is still being written.


def described(record: Record) -> str:
    """Return in words what a record would log."""
    if "run" in record:
        kinds = ("metrics", "metric"), ("params", "parameter"), ("tags", "tag")
        return ", ".join(f"the {word} {key}" for kind, word in kinds for key in _keys(record.get(kind)))
    if "artifact" in record:
        return f"the artifact {record['artifact']}"
    if "end" in record:
        return "the end of the run"
    return str(record.get("path", "a record")).replace(API, "")


def _keys(values: Any) -> list[Any]:
    some = values[:5] if isinstance(values, list) else []
    return [each.get("key") if isinstance(each, dict) else repr(each) for each in some]
