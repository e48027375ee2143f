"""Ships the spools of attempts within the process of MLflow's server; what `POST /mlws/ship` asks for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jupyter_mlws.store.layout import Layout, PathRefused
from jupyter_mlws.tracking.by_mlflow import ByMlflow
from jupyter_mlws.tracking.identity import run_id
from jupyter_mlws.tracking.pieces import Record
from jupyter_mlws.tracking.progress import size_of, state_of
from jupyter_mlws.tracking.rows import Tables
from jupyter_mlws.tracking.ship import ship
from jupyter_mlws.tracking.shipping_request import Asked, AskedWrongly, Told, answer
from jupyter_mlws.tracking.troubles import Busy, Unreachable

_log = logging.getLogger(__name__)
_SECONDS = 0.5
"""After which no further piece is begun: a long spool is not to keep the others waiting, who ask again."""

_ships: ContextVar[bool] = ContextVar("mlws_ships", default=False)


class MlflowStore:
    """MLflow's store: many records by its tables, single ones by its handlers."""

    def __init__(self, engine: Any, application: Any) -> None:
        """`engine` is that of MLflow's store, `application` its own of Flask."""
        self._tables = Tables(engine)
        self._by_mlflow = ByMlflow(application)
        self.apply_together = self._tables.apply_together
        self.values = self._tables.values

    def apply(self, record: Record) -> None:
        """Apply one record as MLflow itself does. Raises `Refused`, `Failed` and `Unreachable`."""
        self._by_mlflow.apply(record)


class Shipyard:
    """Answers who asks that spools be shipped."""

    def __init__(self, store: MlflowStore, *, layout: Layout, artifacts: Path, unshipped: Path) -> None:
        """`layout` is of the workspace; all paths may be relative to the current folder.

        `unshipped` holds a note, `<job>-<attempt>`, of each attempt of which MLflow has not everything.
        """
        self._store = store
        self._layout = layout
        self._artifacts = artifacts
        self._unshipped = unshipped

    async def answer(self, content: bytes) -> bytes:
        """Ship what the body of a request names; return the answer's. Raises `AskedWrongly`."""
        asked = Asked.of(content)
        folders = [self._folder(*each) for each in asked.attempts]
        return await asyncio.to_thread(self._ship, asked, folders)

    def bring(self, run: str) -> bool:
        """Ship what was logged to the job's run `run`; False when it is not known, or is shipped just now."""
        if _ships.get():
            return False
        for note in self._unshipped.iterdir() if self._unshipped.is_dir() else ():
            job, _, attempt = note.name.partition("-")
            if attempt.isdecimal() and run_id(job, int(attempt)) == run:
                with contextlib.suppress(AskedWrongly):
                    self._ship_one(self._folder(job, int(attempt)), run, wait=True, deadline=0.0)
                    return True
        return False

    def _folder(self, job: str, attempt: int) -> Path:
        try:
            return self._layout.attempt(job, attempt).spool
        except PathRefused as error:
            raise AskedWrongly(str(error)) from error

    def _ship(self, asked: Asked, folders: Sequence[Path]) -> bytes:
        deadline = time.monotonic() + _SECONDS
        told: list[Told] = []
        for folder, (job, attempt) in zip(folders, asked.attempts, strict=True):
            if told and time.monotonic() > deadline:
                told.append(_as_it_is(folder))  # asked for again; whoever asks must not wait without end
            else:
                one = self._ship_one(folder, run_id(job, attempt), wait=asked.wait, deadline=deadline)
                told.append(one)
        return answer(told)

    def _ship_one(self, folder: Path, run: str, *, wait: bool, deadline: float) -> Told:
        busy, trouble, values = False, None, None
        within = _ships.set(True)
        try:
            state = ship(folder, store=self._store, artifacts=self._artifacts, wait=wait, deadline=deadline)
            left = size_of(folder) - state.offset
            if state.ended and left <= 0:
                values = self._store.values(run)
        except Busy:
            busy = True
        except (Unreachable, OSError) as error:
            trouble = str(error)
        except Exception as error:
            # The others that are asked for are not to wait for what only this one has.
            _log.exception("The spool %s cannot be shipped.", folder)
            trouble = f"{type(error).__name__}: {error}"
        finally:
            _ships.reset(within)
        if busy or trouble is not None:
            state = state_of(folder)
            left = size_of(folder) - state.offset
        metrics, params = values or (None, None)
        return Told(state.offset, left, state.ended, busy, trouble, metrics, params)


def _as_it_is(folder: Path) -> Told:
    state = state_of(folder)
    return Told(state.offset, size_of(folder) - state.offset, state.ended, True, None, None, None)
