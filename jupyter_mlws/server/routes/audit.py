"""The audit log: every change with who, when, what, before and after."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.record import Record
from jupyter_mlws.model.workspace import AuditPage
from jupyter_mlws.server.route import AnyRoute, Call, Route
from jupyter_mlws.store import audit


class AuditQuery(Record):
    """Which entries of the audit log to give."""

    cursor: str | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    noun: str | None = None
    id: str | None = None


async def page(call: Call[AuditQuery, None]) -> AuditPage:
    """Give a page of the audit log, newest first."""
    query = call.query
    return await call.services.records.read(
        lambda tx: audit.page(tx, cursor=query.cursor, limit=query.limit, noun=query.noun, id=query.id)
    )


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="GET",
        path="/audit",
        resource="audit",
        summary="List the changes",
        run=page,
        query=AuditQuery,
        answer=AuditPage,
    ),
)
