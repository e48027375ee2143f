"""The audit log: who changed what and when, before and after; written with the change, never altered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from jupyter_mlws.model.record import Record
from jupyter_mlws.model.workspace import AuditEntry, AuditPage
from jupyter_mlws.store import cursor as cursors
from jupyter_mlws.store.tables import audit
from jupyter_mlws.store.transaction import Transaction

Content = Record | Mapping[str, object] | None
"""A record or a part of one; None for what did not exist."""


def record(
    tx: Transaction,
    who: str,
    action: str,
    noun: str,
    id: str,
    before: Content = None,
    after: Content = None,
) -> None:
    """Note that `who` did `action` (a verb, such as `submit`) to the thing `id` of kind `noun`."""
    tx.connection.execute(
        audit.insert().values(
            at=datetime.now(UTC),
            who=who,
            action=action,
            noun=noun,
            id=id,
            before=_as_json(before),
            after=_as_json(after),
        )
    )


def page(
    tx: Transaction,
    cursor: str | None = None,
    limit: int = 50,
    noun: str | None = None,
    id: str | None = None,
) -> AuditPage:
    """Return up to `limit` entries (1 to 500), newest first, from `cursor` on. Raises `CursorInvalid`."""
    limit = min(max(limit, 1), 500)
    query = sa.select(audit).order_by(audit.c.sequence.desc()).limit(limit + 1)
    if noun is not None:
        query = query.where(audit.c.noun == noun)
    if id is not None:
        query = query.where(audit.c.id == id)
    if cursor is not None:
        (before,) = cursors.decode(cursor, types=(int,))
        query = query.where(audit.c.sequence < before)
    rows = tx.connection.execute(query).all()
    entries = [AuditEntry.model_validate(dict(row._mapping)) for row in rows[:limit]]
    following = cursors.encode([entries[-1].sequence]) if len(rows) > limit else None
    return AuditPage(entries=entries, next=following)


def _as_json(content: Content) -> str | None:
    if content is None:
        return None
    if isinstance(content, Record):
        return content.model_dump_json()
    return json.dumps(content, default=str)
