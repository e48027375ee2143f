"""The workspace's database: one object for each server, used from many threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import sqlalchemy as sa

from jupyter_mlws.store import changes, sqlite
from jupyter_mlws.store import epoch as epochs
from jupyter_mlws.store.description import read_description
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.migrate import migrate
from jupyter_mlws.store.transaction import Transaction


class Database:
    """Opens transactions. Writers take turns; readers never wait and are never waited for."""

    def __init__(self, engine: sa.Engine, *, layout: Layout, workspace: str) -> None:
        self._engine = engine
        self._layout = layout
        self._workspace = workspace
        # Threads of one process queue here: SQLite's own waiting polls, and is not fair.
        self._turn = threading.Lock()

    @classmethod
    def open(cls, layout: Layout) -> Database:
        """Open the database of a workspace that `workspaces.open` has made, at the newest tables.

        Raises `WorkspaceReadOnly`, `DiskFull`, `StoreBusy`, `StoreBroken`, `StoreTooNew`, or what
        `read_description` raises.
        """
        workspace = read_description(layout).id
        engine = sqlite.create_engine(layout.database)
        try:
            with sqlite.sentences(layout.database):
                migrate(engine, path=layout.database)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, layout=layout, workspace=workspace)

    def close(self) -> None:
        """Close all connections; a later call would open them again."""
        self._engine.dispose()

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """Give a transaction that reads one state of the database, whatever is written meanwhile."""
        with self._connected(sqlite.READ) as connection:
            yield Transaction(connection=connection, workspace=self._workspace)

    @contextlib.contextmanager
    def write(self, epoch: int | None = None, *, durable: bool = False) -> Iterator[Transaction]:
        """Give a transaction that writes: all of it at the end of the block, or nothing if that raises.

        With `epoch`, raises `LeaseLost` unless the lease still has it. With `durable` the commit has
        reached the disk when the block ends. Do not open one inside another.
        """
        if not self._turn.acquire(timeout=sqlite.BUSY_SECONDS):
            raise sqlite.StoreBusy(
                f"The database {self._layout.database} was busy for {sqlite.BUSY_SECONDS:.0f} seconds.",
                hint="Try again.",
            )
        try:
            with self._connected(sqlite.DURABLE_WRITE if durable else sqlite.WRITE) as connection:
                if epoch is not None:
                    epochs.check(connection, epoch)
                transaction = Transaction(connection=connection, workspace=self._workspace)
                yield transaction
                changes.append(connection, transaction.changes)
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def _connected(self, options: dict[str, str]) -> Iterator[sa.Connection]:
        with (
            sqlite.sentences(self._layout.database),
            self._engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection
