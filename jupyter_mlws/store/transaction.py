"""What the functions of this room take: one view of the database, and what was changed in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from jupyter_mlws.store.changes import Changes


@dataclass(frozen=True)
class Transaction:
    """What the functions of this room take: a transaction that sees one state of the database throughout."""

    connection: sa.Connection
    workspace: str
    """Id of the workspace."""
    changes: Changes = field(default_factory=Changes)
    """What was written so far; goes to the outbox with the commit."""
