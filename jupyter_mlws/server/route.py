"""One entry of the table of routes: all that the handlers and the OpenAPI document need to know of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from jupyter_mlws.model.record import Record

if TYPE_CHECKING:
    from jupyter_mlws.app import Services
    from jupyter_mlws.server.doors import Doors
    from jupyter_mlws.server.upload import Upload

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Action = Literal["read", "write", "execute"]
"""What Jupyter's authorizer is asked for."""
Query = TypeVar("Query", bound=Record)
Body = TypeVar("Body", bound=Record | None)

PREFIX = "/mlws/api/v1"
"""Where the routes begin, under the server's base URL."""


class NoQuery(Record):
    """The query of a route that takes none."""


@dataclass(frozen=True, kw_only=True)
class Call(Generic[Query, Body]):
    """A request that was read, checked and allowed."""

    who: str
    """Who asks, for the audit."""
    path: Mapping[str, str]
    """Values of the path's variables, decoded."""
    query: Query
    body: Body
    doors: Doors
    """What belongs to the server rather than to the workspace."""
    text: bytes = b""
    """The body as it was sent."""
    upload: Upload | None = None
    """The streamed body, of routes that have one."""
    when_gone: Callable[[Callable[[], None]], None] | None = None
    """Takes what is to be called should the connection of whoever asks be closed before the answer."""
    opened: Services | None = None

    @property
    def services(self) -> Services:
        """The open workspace. Routes with `needs_workspace=False` must not ask for it."""
        if self.opened is None:
            raise RuntimeError("This route is declared to work without a workspace.")
        return self.opened


@dataclass(frozen=True, kw_only=True)
class FileReply:
    """Answer with the bytes of a file, streamed."""

    file: Path
    media: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sandboxed: bool = False
    """Whether a browser may show it only in a sandbox: it comes from the user's code."""


@dataclass(frozen=True, kw_only=True)
class JsonReply:
    """Answer with JSON that is text already."""

    pieces: Iterable[bytes | memoryview]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Answer with a record and a status that differs from the route's, or with neither body nor record."""

    status: int
    record: Record | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Answer: TypeAlias = Record | FileReply | JsonReply | Reply | None


@dataclass(frozen=True, kw_only=True)
class Route(Generic[Query, Body]):
    """A method on a path, what it takes, what it gives, and who runs it."""

    method: Method
    path: str
    """Under `PREFIX`; `{name}` stands for one segment."""
    resource: str
    """The noun; the resource that Jupyter's authorizer is asked about."""
    summary: str
    run: Callable[[Call[Query, Body]], Awaitable[Answer]]
    query: type[Query]
    body: type[Body] | None = None
    answer: type[Record] | None = None
    """The record of a JSON answer."""
    media: str | None = None
    """The content type of an answer that is not a record."""
    status: int = 200
    other_statuses: Mapping[int, str] = field(default_factory=dict)
    """Further successful statuses, with what they mean."""
    asks: Action | None = None
    """What the authorizer is asked for, where the method does not say it."""
    needs_workspace: bool = True
    passes_body: bool = False
    """Whether the body is passed on as text, unread: it may be a notebook of 100 MB."""
    streams_body: bool = False
    """Whether the body is bytes that go to disk as they come."""

    @property
    def action(self) -> Action:
        """What Jupyter's authorizer is asked for: reading is free of effects, writing changes something."""
        if self.asks is not None:
            return self.asks
        return "read" if self.method in ("GET", "HEAD") else "write"


AnyRoute: TypeAlias = Route[Any, Any]
