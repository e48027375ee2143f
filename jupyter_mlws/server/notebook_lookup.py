"""Which notebook does a kernel belong to: as the browser has it, or else as it was saved."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import ensure_async
from pydantic_core import from_json
from tornado import web

from jupyter_mlws.model.errors import Conflict, NotFound
from jupyter_mlws.model.notebook import NotebookAnswer
from jupyter_mlws.server.publishing import ask_for_notebook
from jupyter_mlws.server.reading import BodyMalformed, read_body

if TYPE_CHECKING:
    from jupyter_events import EventLogger

_PATIENCE = 3.0
# A larger text is not read here but by whoever asked for it: reading it would hold the event loop, in a
# thread too, since Python's JSON readers keep the interpreter to themselves.
_READ_HERE = 2**20
_PATH = re.compile(rb'\s*\{\s*"path"\s*:\s*("(?:[^"\\]|\\.)*")')


class NotebookNotFound(NotFound):
    """A kernel belongs to no notebook that this server knows."""

    code = "notebook_not_found"


class NotebookBroken(Conflict):
    """The saved file is no notebook."""

    code = "notebook_broken"


class RequestNotFound(NotFound):
    """Nobody waits for this answer (any more)."""

    code = "request_not_found"


class NotebookLookup:
    """Asks the browsers, then the disk. A notebook passes as text: one of 100 MB is never taken apart."""

    def __init__(
        self,
        *,
        events: EventLogger,
        session_of: Callable[[str], Awaitable[dict[str, Any]]],
        contents: Any,
        root: Path | None,
    ) -> None:
        """`session_of` gives Jupyter's session of a kernel id, `contents` is Jupyter's contents manager."""
        self._events = events
        self._session_of = session_of
        self._contents = contents
        self._root = root
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._answered: deque[str] = deque(maxlen=100)

    async def find(self, kernel_id: str) -> Iterable[bytes | memoryview]:
        """Return a `NotebookFound` as pieces of JSON. Raises `NotebookNotFound` and `NotebookBroken`."""
        answer = await self._ask(kernel_id)
        if answer is None:
            return await self._saved(kernel_id)
        # Only the first brace of the browser's object is replaced, by what it does not know.
        rest = memoryview(answer)[answer.index(b"{") + 1 :]
        return (self._head(_path_of(answer), source="screen"), b",", rest)

    def answer(self, request_id: str, text: bytes) -> None:
        """Take a browser's answer, a `NotebookAnswer` in JSON. Raises `RequestNotFound`.

        The first answer counts; a second browser with the same notebook is told nothing.
        """
        waiting = self._waiting.pop(request_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(text)
            self._answered.append(request_id)
        elif request_id not in self._answered:
            raise RequestNotFound(
                f"Nobody waits for an answer to {request_id[:100]!r}.",
                hint="Answers are taken for 3 seconds.",
            )

    async def _ask(self, kernel_id: str) -> bytes | None:
        request_id = secrets.token_urlsafe(16)
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = waiting
        try:
            if not ask_for_notebook(self._events, request_id=request_id, kernel_id=kernel_id):
                return None
            return await asyncio.wait_for(waiting, _PATIENCE)
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(request_id, None)

    async def _saved(self, kernel_id: str) -> Iterable[bytes]:
        path = await self._path(kernel_id)
        try:
            model = await ensure_async(self._contents.get(path, type="file", format="text", content=True))
        except web.HTTPError as error:
            if error.status_code != 404:
                raise NotebookBroken(
                    f"The notebook {path!r} cannot be read: {error.log_message or error.reason}.",
                    hint="Save it again, or restore it from a checkpoint.",
                ) from error
            raise NotebookNotFound(
                f"The notebook {path!r} is not on the disk.", hint="Save it, or submit it by its path."
            ) from error
        _check_saved(model["content"], path)
        head = self._head(path, path=path, dirty=False, source="disk")
        return chain((head, b',"content":'), _encoded(model["content"]), (b"}",))

    async def _path(self, kernel_id: str) -> str:
        try:
            session = await self._session_of(kernel_id)
        except web.HTTPError as error:
            raise NotebookNotFound(
                f"The kernel {kernel_id} belongs to no notebook that is open in this server.",
                hint="Submit the notebook by its path.",
            ) from error
        if session.get("type") != "notebook":
            raise NotebookNotFound(
                f"The kernel {kernel_id} belongs to a {session.get('type')}, not to a notebook.",
                hint="Submit the notebook by its path.",
            )
        return str(session["path"])

    def _head(self, path: str | None, /, **facts: object) -> bytes:
        """The beginning of the answer's object, without its closing brace."""
        folder = None
        if self._root is not None and path is not None:
            folder = str((self._root / PurePosixPath(path)).parent)
        return json.dumps({"folder": folder, **facts}).removesuffix("}").encode()


def check_answer(text: bytes) -> None:
    """Raise `BodyMalformed` or `FieldInvalid` for what is no `NotebookAnswer`, as far as it is read here."""
    if len(text) <= _READ_HERE:
        read_body(NotebookAnswer, text)
    elif not text.lstrip().startswith(b"{"):
        raise BodyMalformed("The body is not a JSON object; a NotebookAnswer was expected.")


def _path_of(answer: bytes) -> str | None:
    """Return the path in the browser's answer; None when it does not come first in a large one."""
    if len(answer) <= _READ_HERE:
        return str(from_json(answer)["path"])
    found = _PATH.match(answer[: 2**16])
    return str(from_json(found[1])) if found else None


def _check_saved(text: str, path: str) -> None:
    """Raise `NotebookBroken` for what is no notebook, as far as it is read here."""
    if len(text) > _READ_HERE:
        return
    try:
        # Python writes NaN into notebooks, although it is not JSON.
        content = from_json(text)
    except ValueError as error:
        raise NotebookBroken(
            f"The notebook {path!r} is not JSON: {error}.",
            hint="Save it again, or restore it from a checkpoint.",
        ) from error
    if not isinstance(content, dict):
        raise NotebookBroken(f"The file {path!r} is JSON, but not a notebook.")


def _encoded(text: str) -> Iterable[bytes]:
    return (text[begin : begin + _READ_HERE].encode() for begin in range(0, len(text), _READ_HERE))
