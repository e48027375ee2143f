"""MLflow's database before its server uses it, and while it grows: WAL mode, migrations, statistics."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

FILE = "mlflow.db"
URI = f"sqlite:///{FILE}"
ANALYZE_EVERY = 3600.0
"""Seconds between statistics at the most, if anything has changed."""
_LOOK_EVERY = 60.0


class Unusable(Exception):
    """The server cannot start; the text is a sentence for the user."""


def prepare_database(file: Path) -> None:
    """Put the database into WAL mode, and migrate it if an older MLflow wrote it. Raises `Unusable`."""
    try:
        connection = sqlite3.connect(file, timeout=30)
        try:
            # A file system that cannot do WAL keeps its mode, which works too.
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Unusable(f"MLflow's database {file.name} cannot be used: {error}.") from error
    _use_faster_commits()
    _migrate(file)


def _use_faster_commits() -> None:
    """With WAL, synchronous=NORMAL is consistent, and a commit need not wait for the disk."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")


def _migrate(file: Path) -> None:
    from alembic.util import CommandError
    from mlflow.store.db import utils as untyped

    utils: Any = untyped
    engine: Engine = utils.create_sqlalchemy_engine(URI)
    try:
        if utils._is_empty_database(engine):
            return  # MLflow makes the tables of a new database itself.
        found, newest = utils._get_schema_version(engine), utils._get_latest_schema_revision()
        if found == newest:
            return
        _back_up(file, suffix=f"before-{newest}")
        utils._upgrade_db(engine)
    except CommandError as error:
        raise Unusable(
            f"MLflow's database {file.name} was written by a newer MLflow than the one installed: {error}."
        ) from error
    finally:
        engine.dispose()


def _back_up(file: Path, *, suffix: str) -> None:
    source = sqlite3.connect(file)
    target = sqlite3.connect(file.with_name(f"{file.name}.{suffix}"))
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()


def analyze(file: Path) -> None:
    """Gather SQLite's statistics: without them, MLflow's search over 60,000 runs takes 35 s, not 0.4 s."""
    connection = sqlite3.connect(file, timeout=30)
    try:
        connection.execute("PRAGMA analysis_limit=10000")
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()


def is_due(pages: int, *, analyzed: int, seconds: float) -> bool:
    """Whether to gather statistics: the last were of `analyzed` pages, `seconds` ago. Pure.

    The plan changes where a table has grown, so a new workspace does not wait for an hour.
    """
    return pages >= 1.5 * analyzed or (pages != analyzed and seconds >= ANALYZE_EVERY)


def analyze_for_ever(file: Path, *, renew: Callable[[], None]) -> None:
    """Gather statistics as the database grows; `renew` has new connections made, which read them."""
    analyzed, at = _pages(file), time.monotonic()
    while True:
        time.sleep(_LOOK_EVERY)
        try:
            if is_due(_pages(file), analyzed=analyzed, seconds=time.monotonic() - at):
                analyze(file)
                renew()
                analyzed, at = _pages(file), time.monotonic()
        except sqlite3.Error as error:
            print(f"The statistics of {file.name} were not renewed: {error}", file=sys.stderr, flush=True)


def _pages(file: Path) -> int:
    connection = sqlite3.connect(file, timeout=30)
    try:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])
    finally:
        connection.close()
