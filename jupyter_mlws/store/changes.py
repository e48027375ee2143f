"""What a transaction changed, and how it gets into the outbox with the commit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from jupyter_mlws.store.tables import outbox


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
