"""All that is SQLite's own: how its file is opened, how transactions begin, and its errors as sentences."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json

from jupyter_mlws.model.errors import MlwsError, NotReady
from jupyter_mlws.store.durable import DiskFull, WorkspaceReadOnly, refusals

BUSY_SECONDS = 30.0
"""How long a connection waits for another's write."""
_MODE = "mlws_begin"
READ = {_MODE: "read"}
WRITE = {_MODE: "write"}
DURABLE_WRITE = {_MODE: "durable"}
"""Execution options of a connection: how its transactions begin. A durable write is on disk when it returns;
the others survive the death of the process, not always that of the machine."""


class StoreBusy(NotReady):
    """Another process kept the database locked for too long."""

    code = "store_busy"


class StoreBroken(NotReady):
    """The database file cannot be read, or cannot be used where it lies."""

    code = "store_broken"


def create_engine(path: Path) -> sa.Engine:
    """Make the database file if it is missing (0600, WAL) and return an engine for it.

    Raises `WorkspaceReadOnly`, `DiskFull`, `StoreBusy` or `StoreBroken`.
    """
    with refusals(path), sentences(path):
        _make_file(path)
        _use_wal(path)
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        json_serializer=_to_json,
        json_deserializer=from_json,
        pool_size=8,
        max_overflow=64,
        pool_timeout=BUSY_SECONDS,
    )
    sa.event.listen(engine, "connect", _on_connect)
    sa.event.listen(engine, "begin", _on_begin)
    return engine


def _make_file(path: Path) -> None:
    # SQLite gives its -wal and -shm files the mode of the main file. Only a new file may be opened here: to
    # close any descriptor of a database drops the locks that this process holds on it.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise WorkspaceReadOnly(path) from None


def _use_wal(path: Path) -> None:
    # The switch ignores the busy timeout, and two servers may start at once on a new workspace.
    deadline = time.monotonic() + BUSY_SECONDS
    with contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
    if mode != "wal":
        raise StoreBroken(
            f"The disk that holds {path} cannot be used: it has no shared memory for SQLite.",
            hint="Put the workspace on a local disk; network folders often cannot hold one.",
        )


def _to_json(value: object) -> str:
    # JSON knows neither NaN nor infinity, and other databases insist.
    return to_json(value, inf_nan_mode="null").decode()


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    # We begin transactions ourselves, below.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-32768")


def _on_begin(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get(_MODE, "read")
    if mode == "read":
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if mode == 'durable' else 'NORMAL'}")
    # A transaction that begins with a read and then writes fails at once when another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextlib.contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn SQLite's errors inside the block, about the database at `path`, into ours; others pass."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        ours = _as_sentence(error.orig, path)
        if ours is None:
            raise
        raise ours from error
    except sqlite3.Error as error:
        ours = _as_sentence(error, path)
        if ours is None:
            raise
        raise ours from error


def _as_sentence(error: Any, path: Path) -> MlwsError | None:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusy(
            f"The database {path} was locked by another process for {BUSY_SECONDS:.0f} seconds.",
            hint="Try again; if it stays so, look for a program that has the file open.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return WorkspaceReadOnly(path)
    if name.startswith("SQLITE_FULL"):
        return DiskFull(path)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")):
        return StoreBroken(
            f"The database {path} cannot be read: {error}.",
            hint="Restore the file from a backup, or move it away to begin with an empty one.",
        )
    return None
