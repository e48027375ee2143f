"""Blobs: bytes under the name of their SHA-256, sent before the job that needs them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field

from jupyter_mlws.model.answers import BlobStored
from jupyter_mlws.model.blob_files import INCOMING_NAME
from jupyter_mlws.model.record import Record
from jupyter_mlws.server.route import AnyRoute, Call, NoQuery, Reply, Route


async def head(call: Call[NoQuery, None]) -> Reply:
    """Say whether a blob is here, so that it need not be sent again."""
    blobs, sha256 = call.services.blobs, call.path["sha256"]
    await asyncio.to_thread(blobs.has, sha256)  # so that it stays until the job comes
    await asyncio.to_thread(blobs.path, sha256)
    return Reply(status=200)


class BlobQuery(Record):
    """Where the bytes are."""

    incoming: Annotated[str, Field(pattern=f"^{INCOMING_NAME.pattern}$")] | None = None
    """Name of a file that a client on this machine laid into the workspace's `blobs/incoming`, 0600.

    None: they are the body. Such a file is renamed, and not sent.
    """


async def put(call: Call[BlobQuery, None]) -> Reply:
    """Keep the streamed body, or the file that was laid ready, if it has the hash that the path says."""
    sha256, blobs = call.path["sha256"], call.services.blobs
    assert call.upload is not None
    known = await asyncio.to_thread(blobs.has, sha256)
    if call.query.incoming is None:
        size = await call.upload.commit(sha256)
    else:
        size = await asyncio.to_thread(blobs.adopt, call.query.incoming, sha256)
    return Reply(status=200 if known else 201, record=BlobStored(sha256=sha256, size=size))


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        method="HEAD",
        path="/blobs/{sha256}",
        resource="blobs",
        summary="Is this blob here already?",
        run=head,
        query=NoQuery,
    ),
    Route(
        method="PUT",
        path="/blobs/{sha256}",
        resource="blobs",
        summary="Send a blob of any size; its bytes must have the hash that the path says",
        run=put,
        query=BlobQuery,
        answer=BlobStored,
        status=201,
        other_statuses={200: "It was here already"},
        streams_body=True,
    ),
)
