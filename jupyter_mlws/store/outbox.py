"""Everything that changed, in order, written in the transaction that changed it; each server tails it."""

from __future__ import annotations

import sqlalchemy as sa

from jupyter_mlws.model.events import Change
from jupyter_mlws.store.tables import outbox
from jupyter_mlws.store.transaction import Transaction


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
