"""The tornado handlers: who asks, may they, which route, and its answer or its failure as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_mlws.model.errors import MlwsError, NotAllowed
from jupyter_mlws.server import failures
from jupyter_mlws.server.answering import send
from jupyter_mlws.server.gate import refuse_windows
from jupyter_mlws.server.reading import read_body, read_query
from jupyter_mlws.server.route import PREFIX, Call
from jupyter_mlws.server.upload import Upload
from jupyter_mlws.server.who import who_is

if TYPE_CHECKING:
    from jupyter_mlws.app import Services
    from jupyter_mlws.server.doors import Doors
    from jupyter_mlws.server.route import AnyRoute
    from jupyter_mlws.server.routing import Routing


_READ_WHEN_REFUSED = 2**20  # bytes


class ApiHandler(APIHandler):
    """Answers every request under our prefix, whatever its path: what is unknown gets our error body too."""

    route: AnyRoute
    variables: dict[str, str]
    _failure: failures.Failure | None = None

    def initialize(self, doors: Doors, routing: Routing) -> None:
        """Take what belongs to the server; called by tornado."""
        self.doors = doors
        self._routing = routing
        self._opened: Services | None = None
        self._told_when_gone: list[Callable[[], None]] = []
        self._is_gone = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Authenticate, find the route, authorize. Raises what `write_error` turns into the answer."""
        await self._authenticate()
        refuse_windows()
        router = await self._routing.router()
        self.route, self.variables = router.find(self.request.method or "", self._path)
        await self._authorize()

    @web.authenticated
    async def get(self) -> None:
        """Answer a request; so do the other methods."""
        await self._run()

    head = post = put = patch = delete = get

    async def _run(self, upload: Upload | None = None) -> None:
        route = self.route
        query = read_query(route.query, self.request.query_arguments)
        body = None
        if route.body is not None and not route.passes_body:
            body = read_body(route.body, self.request.body)
        answer = await route.run(
            Call(
                who=who_is(self.current_user),
                path=self.variables,
                query=query,
                body=body,
                doors=self.doors,
                text=self.request.body,
                upload=upload,
                when_gone=self._when_gone,
                opened=await self._services() if route.needs_workspace else None,
            )
        )
        await send(self, answer, status=route.status)

    async def _services(self) -> Services:
        """The open workspace; it stays open until this request is answered."""
        if self._opened is None:
            self._opened = await self.doors.gate.enter()
        return self._opened

    async def _authenticate(self) -> None:
        try:
            await super().prepare()
        except web.HTTPError as error:
            if error.status_code == 403 and not self._has_user() and self.check_host():
                raise failures.not_authenticated(token_given=self._token_given()) from error
            if error.status_code == 403 and self._has_user():
                raise failures.XsrfMissing(
                    f"The request was refused: {error.log_message or 'it comes from another site'}.",
                    hint="Send the cookie _xsrf back in the header X-XSRFToken, or use a token.",
                ) from error
            raise
        # Jupyter may be set up to let requests without a user through to the handlers.
        if not self._has_user():
            raise failures.not_authenticated(token_given=self._token_given())
        if not self.token_authenticated:
            # Hands out the cookie, for clients of a server without a token that never load a page.
            self.xsrf_token  # noqa: B018

    async def _authorize(self) -> None:
        action, resource = self.route.action, self.route.resource
        allowed = await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, resource))
        if not allowed:
            raise NotAllowed(
                f"{who_is(self.current_user)} is not allowed to {action} {resource} on this server.",
                hint="The server's authorizer decides this; ask whoever runs the server.",
            )

    def _has_user(self) -> bool:
        return getattr(self, "_jupyter_current_user", None) is not None

    def _token_given(self) -> bool:
        return bool(self.identity_provider.get_token(self))

    @property
    def _path(self) -> str:
        """The path under our prefix, still percent-encoded: a name may hold a slash."""
        return self.request.path.partition(PREFIX)[2]

    def log_exception(self, kind: Any, error: Any, traceback: Any) -> None:
        """Log what is a mistake of ours; what the user did wrong is in the answer. Tornado calls it first."""
        self._failure = failures.explain(error, method=self.request.method or "", path=self.request.path)
        if self._failure.note is not None and not isinstance(error, StreamClosedError):
            self.log.error(self._failure.note, exc_info=(kind, error, traceback))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with the error body; called by tornado for whatever was raised."""
        failure = self._failure or failures.explain(
            web.HTTPError(status_code), method=self.request.method or "", path=self.request.path
        )
        self.set_status(failure.status)
        self.finish(failure.body)

    def compute_etag(self) -> str | None:
        """No: hashing a notebook of 100 MB would hold the event loop."""
        return None

    def on_finish(self) -> None:
        """Let go of the workspace."""
        super().on_finish()
        if self._opened is not None:
            self.doors.gate.leave(self._opened)
            self._opened = None

    def _when_gone(self, tell: Callable[[], None]) -> None:
        if self._is_gone:
            tell()
        else:
            self._told_when_gone.append(tell)

    def on_connection_close(self) -> None:
        """Let those hold nothing any more whom nobody waits for."""
        super().on_connection_close()
        self._is_gone = True
        for tell in self._told_when_gone:
            tell()


@web.stream_request_body
class UploadHandler(ApiHandler):
    """The same for routes whose body goes to disk as it comes."""

    _upload: Upload | None = None
    _refusal: Exception | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Also make ready to receive. Here the size of a body is limited by the disk alone."""
        try:
            await super().prepare()
        except (MlwsError, web.HTTPError) as error:
            # An answer before the body is read makes the system reset the connection, and the answer is lost.
            if not 0 < self._announced_length() <= _READ_WHEN_REFUSED:
                raise
            self._refusal = error
            return
        if self.route.streams_body:
            self._upload = Upload((await self._services()).blobs)
            connection: Any = self.request.connection
            connection.set_max_body_size(2**63 - 1)

    async def data_received(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        if self._upload is not None:
            await self._upload.receive(chunk)

    async def get(self) -> None:
        """Answer, once the body is there; so do the other methods."""
        if self._refusal is not None:
            raise self._refusal
        await ensure_async(super().get())

    head = post = put = patch = delete = get

    async def _run(self, upload: Upload | None = None) -> None:
        await super()._run(self._upload)

    def _announced_length(self) -> int:
        length = self.request.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() else 0

    def on_connection_close(self) -> None:
        """Leave nothing of an upload that broke off."""
        super().on_connection_close()
        self._drop()

    def on_finish(self) -> None:
        """Leave nothing of an upload that was refused."""
        self._drop()
        super().on_finish()

    def _drop(self) -> None:
        if self._upload is not None:
            self.doors.beside.do(self._upload.abort())
