"""Everything that changed, in order, written in the transaction that changed it; each server tails it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from jupyter_mlws.model.events import Change
from jupyter_mlws.store.tables import outbox

if TYPE_CHECKING:
    from jupyter_mlws.store.database import Transaction


@dataclass
class Changes:
    """What one transaction changed; a thing changed twice is noted once, as it was left."""

    noted: dict[tuple[str, str], tuple[str | None, int | None]] = field(default_factory=dict)

    def note(self, noun: str, id: str, *, status: str | None = None, offset: int | None = None) -> None:
        """Note that `id` changed. Without a status, what was noted before stays."""
        if status is not None or (noun, id) not in self.noted:
            self.noted[(noun, id)] = (status, offset)

    def note_removal(self, noun: str, id: str) -> None:
        """Note that `id` is gone: its change has no status."""
        self.noted[(noun, id)] = (None, None)


def append(connection: sa.Connection, changes: Changes) -> None:
    """Write a row for each change; `Database.write` calls this just before it commits."""
    if not changes.noted:
        return
    now = datetime.now(UTC)
    connection.execute(
        outbox.insert(),
        [
            {"noun": noun, "id": id, "status": status, "log_offset": offset, "at": now}
            for (noun, id), (status, offset) in changes.noted.items()
        ],
    )


def read(tx: Transaction, after: int, limit: int = 1000) -> list[Change]:
    """Return up to `limit` changes whose sequence is greater than `after`, in order."""
    rows = tx.connection.execute(
        sa.select(outbox).where(outbox.c.sequence > after).order_by(outbox.c.sequence).limit(limit)
    )
    return [
        Change(
            workspace=tx.workspace,
            noun=row.noun,
            id=row.id,
            status=row.status,
            offset=row.log_offset,
            sequence=row.sequence,
        )
        for row in rows
    ]


def last(tx: Transaction) -> int:
    """Return the sequence of the newest change, 0 before the first."""
    return tx.connection.execute(sa.select(sa.func.max(outbox.c.sequence))).scalar_one() or 0


def trim(tx: Transaction, keep_last: int) -> int:
    """Delete all but the newest `keep_last` changes, at least one; return how many went.

    Sequences go on counting. A server that has fallen behind further than that sees a gap in them,
    and has to fetch everything.
    """
    bound = last(tx) - max(keep_last, 1)
    return tx.connection.execute(outbox.delete().where(outbox.c.sequence <= bound)).rowcount
