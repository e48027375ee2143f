"""Computes that users made, in the database; every write is noted for the outbox in its transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from jupyter_mlws.model.compute import ComputeCheck, ComputeSpec, ComputeState
from jupyter_mlws.store.tables import computes
from jupyter_mlws.store.transaction import Transaction

_NOUN = "compute"


class ComputeRow(NamedTuple):
    """A compute as it is stored."""

    spec: ComputeSpec
    token: str | None
    """Id of its token, for `Tokens`."""
    created_by: str
    created_at: datetime
    check: ComputeCheck | None = None
    """What the last look found."""
    checked_at: datetime | None = None

    @property
    def state(self) -> ComputeState:
        """What was last known."""
        if self.check is None:
            return ComputeState.UNCHECKED
        return ComputeState.READY if self.check.reachable else ComputeState.UNREACHABLE


def read(tx: Transaction) -> list[ComputeRow]:
    """Return all of them, by name."""
    return [_row(found) for found in tx.connection.execute(sa.select(computes).order_by(computes.c.name))]


def find(tx: Transaction, name: str) -> ComputeRow | None:
    """Return the compute of this name; None when there is none."""
    query = sa.select(computes).where(computes.c.name == name)
    found = tx.connection.execute(query).one_or_none()
    return None if found is None else _row(found)


def save(tx: Transaction, row: ComputeRow) -> None:
    """Write the compute, over one of its name."""
    values = {
        "spec": row.spec.model_dump(mode="json"),
        "token": row.token,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "checked": None if row.check is None else row.check.model_dump(mode="json"),
        "checked_at": row.checked_at,
    }
    if find(tx, row.spec.name) is None:
        tx.connection.execute(computes.insert().values(name=row.spec.name, **values))
    else:
        tx.connection.execute(computes.update().where(computes.c.name == row.spec.name).values(**values))
    tx.changes.note(_NOUN, row.spec.name, status=row.state.value)


def delete(tx: Transaction, name: str) -> None:
    """Remove the compute; its token is the caller's."""
    tx.connection.execute(computes.delete().where(computes.c.name == name))
    tx.changes.note_removal(_NOUN, name)


def _row(found: sa.Row[Any]) -> ComputeRow:
    return ComputeRow(
        spec=ComputeSpec.model_validate(found.spec),
        token=found.token,
        created_by=found.created_by,
        created_at=found.created_at,
        check=None if found.checked is None else ComputeCheck.model_validate(found.checked),
        checked_at=found.checked_at,
    )
