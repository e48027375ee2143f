"""Ships a spool (tracking/spool.py) into MLflow's store: in order, in few transactions, harmlessly again.

It runs in the process of MLflow's server. One ships a spool at a time, by a lock; how far it came is written
after each piece, so that a crash in between ships the last piece again: metrics that are there already count
once, parameters and models that are there with the same values are right, artifacts are in their places.

What MLflow refuses is not tried for ever: it is noted in `refused.jsonl` with MLflow's words, and left out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from jupyter_mlws.tracking.artifact_files import place
from jupyter_mlws.tracking.pieces import Entry, Piece, Record, described, pieces, read_lines
from jupyter_mlws.tracking.progress import State, note, size_of, state_of
from jupyter_mlws.tracking.spool import RECORDS
from jupyter_mlws.tracking.troubles import Busy, Failed, NotTogether, Refused, Unreachable

REFUSED = "refused.jsonl"
_LOCK = "lock"
_TRIES = 5  # of what MLflow answers with an error of its own, before it is left out
_PATIENCE = 20.0
_POLL_SECONDS = 0.005


class Store(Protocol):
    """Where records go that are no files."""

    def apply_together(self, records: Sequence[Record]) -> None:
        """Apply records in one transaction, or none. Raises `NotTogether` and `Unreachable`."""

    def apply(self, record: Record) -> None:
        """Apply one record as MLflow itself does. Raises `Refused`, `Failed` and `Unreachable`."""


def ship(
    folder: Path, *, store: Store, artifacts: Path, wait: bool = False, deadline: float = float("inf")
) -> State:
    """Ship what is in the spool in `folder` now; return how far it came.

    `artifacts` is the folder in which MLflow's server keeps them. After `deadline` (of `time.monotonic`) no
    further piece is begun. Raises `Busy` when another ships, with `wait` only after 20 seconds,
    `Unreachable`, and OSError when the spool's own files cannot be written.
    """
    state = state_of(folder)
    if size_of(folder) <= state.offset:
        return state
    with _locked(folder / _LOCK, patience=_PATIENCE if wait else 0.0):
        return _Shipment(folder, store=store, artifacts=artifacts).run(deadline)


@contextlib.contextmanager
def _locked(path: Path, *, patience: float) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy("another process ships just now.") from None
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            # A process forked meanwhile has the descriptor too; closing it would not be enough.
            fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)


class _Shipment:
    def __init__(self, folder: Path, *, store: Store, artifacts: Path) -> None:
        self._folder = folder
        self._store = store
        self._artifacts = artifacts
        self._state = state_of(folder)  # another may have shipped before the lock was taken

    def run(self, deadline: float) -> State:
        """Apply piece after piece."""
        for piece in pieces(read_lines(self._folder / RECORDS, self._state.offset)):
            self._take(piece)
            if time.monotonic() >= deadline:
                break
        return self._state

    def _take(self, piece: Piece) -> None:
        if piece.together and piece.entries:
            self._apply(piece.entries, piece.end)
        elif piece.entries:
            self._apply_alone(piece.entries[0])
        else:
            self._note(piece.end, [])

    def _apply(self, entries: list[Entry], end: int) -> None:
        """Apply records in one transaction; else in halves: one must not stop the others."""
        try:
            self._apply_together([entry.record for entry in entries])
        except NotTogether:
            if len(entries) == 1:
                return self._apply_alone(entries[0])
            middle = len(entries) // 2
            self._apply(entries[:middle], entries[middle - 1].end)
            self._apply(entries[middle:], end)
        else:
            self._note(end, entries)

    def _apply_together(self, records: list[Record]) -> None:
        try:
            # The files first: once MLflow says that a run has ended, all is there.
            for record in records:
                if "artifact" in record:
                    place(record, spool=self._folder, artifacts=self._artifacts)
        except Refused as error:
            raise NotTogether(str(error)) from error
        rows = [record for record in records if "artifact" not in record]
        if rows:
            self._store.apply_together(rows)

    def _apply_alone(self, entry: Entry) -> None:
        try:
            if "artifact" in entry.record:
                place(entry.record, spool=self._folder, artifacts=self._artifacts)
            else:
                self._store.apply(entry.record)
        except Refused as error:
            self._refuse(entry.record, str(error))
        except (Failed, TypeError, ValueError, LookupError) as error:  # the record is not as ours are
            if self._state.tries + 1 < _TRIES:
                self._state = self._state._replace(tries=self._state.tries + 1)
                note(self._folder, self._state)
                raise Unreachable(str(error)) from error
            self._refuse(entry.record, str(error))
        self._note(entry.end, [entry])

    def _refuse(self, record: Record, message: str) -> None:
        line = json.dumps({"what": described(record), "message": message[:2000]}) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self._folder / REFUSED, flags, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def _note(self, end: int, entries: list[Entry]) -> None:
        ended = self._state.ended or any("end" in entry.record for entry in entries)
        self._state = State(offset=end, tries=0, ended=ended)
        note(self._folder, self._state)
