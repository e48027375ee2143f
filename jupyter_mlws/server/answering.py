"""Sends an answer: a record, a text that is JSON already, or a file piece by piece."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, BinaryIO

from tornado.iostream import StreamClosedError

from jupyter_mlws.model.errors import NotFound
from jupyter_mlws.model.record import Record
from jupyter_mlws.server.route import Answer, FileReply, JsonReply, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_server.base.handlers import APIHandler

_PIECE = 2**20


class FileGone(NotFound):
    """The file of an answer is not there (any more)."""

    code = "file_gone"


async def send(handler: APIHandler, answer: Answer, *, status: int) -> None:
    """Send `answer` with `status`, unless the answer has a status of its own."""
    handler.set_status(status)
    try:
        if isinstance(answer, FileReply):
            await _send_file(handler, answer)
        elif isinstance(answer, JsonReply):
            await _send_pieces(handler, answer.pieces)
        elif isinstance(answer, Reply):
            handler.set_status(answer.status)
            for name, value in answer.headers.items():
                handler.set_header(name, value)
            _finish(handler, answer.record)
        else:
            _finish(handler, answer)
    except StreamClosedError:
        # Whoever asked has gone.
        return


def _finish(handler: APIHandler, record: Record | None) -> None:
    if record is None:
        handler.finish()
    else:
        handler.finish(record.model_dump_json().encode())


async def _send_pieces(handler: APIHandler, pieces: Iterable[bytes | memoryview]) -> None:
    handler.set_header("Content-Type", "application/json")
    for piece in pieces:
        for begin in range(0, len(piece), _PIECE):
            handler.write(bytes(piece[begin : begin + _PIECE]))
            await handler.flush()
    handler.finish()


async def _send_file(handler: APIHandler, answer: FileReply) -> None:
    try:
        file, size = await asyncio.to_thread(_open, answer)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise FileGone("The file is not there (any more).", hint="Was the job deleted meanwhile?") from error
    try:
        handler.set_header("Content-Type", answer.media)
        handler.set_header("Content-Length", str(size))
        handler.set_header("Cache-Control", "no-cache")
        for name, value in answer.headers.items():
            handler.set_header(name, value)
        if answer.sandboxed:
            handler.set_header(
                "Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"
            )
        left = size if handler.request.method != "HEAD" else 0
        while left > 0:
            piece = await asyncio.to_thread(file.read, min(_PIECE, left))
            if not piece:
                raise OSError(f"{answer.file} became shorter while it was read")
            left -= len(piece)
            handler.write(piece)
            await handler.flush()
        handler.finish(set_content_type=answer.media)
    finally:
        await asyncio.to_thread(file.close)


def _open(answer: FileReply) -> tuple[BinaryIO, int]:
    file = answer.file.open("rb")
    return file, os.fstat(file.fileno()).st_size
