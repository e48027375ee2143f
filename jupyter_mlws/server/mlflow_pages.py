"""MLflow's pages behind Jupyter's login: jupyter-server-proxy's handler, aimed at MLflow's unix socket."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import ensure_async
from jupyter_server_proxy.handlers import NamedLocalProxyHandler
from jupyter_server_proxy.unixsock import UnixResolver
from tornado import web
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from jupyter_mlws.model.errors import MlwsError, NotAllowed, NotReady
from jupyter_mlws.server import failures
from jupyter_mlws.server.who import who_is

if TYPE_CHECKING:
    from jupyter_mlws.server.doors import Doors

PATTERN = "/mlws/mlflow(/.*)"
_BASE = "mlws/mlflow"
_RESOURCE = "mlflow"
# MLflow's pages ask with POST for what they only read.
_READING = re.compile(r"/(ajax-)?api/[^?]*/(search|search-v?\d*|get-bulk|query[a-z-]*)$|/graphql$")
_DOWNLOAD = re.compile(r"/get-artifact$|/mlflow-artifacts/artifacts/|/model-versions/get-artifact$")
# A script and no meta element, which would not load a page anew whose address has a fragment (#/experiments).
_WAITING = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>MLflow</title>
<script>setTimeout(() => location.reload(), 1000)</script>
<style>body{{font:14px system-ui,sans-serif;margin:3em;color-scheme:light dark}}</style></head>
<body><p>{sentence}</p></body></html>
"""


class MlflowOff(NotReady):
    """MLflow is switched off here."""

    code = "mlflow_off"


class MlflowStarting(NotReady):
    """MLflow's server is on its way."""

    code = "mlflow_starting"


class MlflowPagesHandler(NamedLocalProxyHandler):  # type: ignore[misc]
    """Passes requests on to MLflow, starting it if need be."""

    def __init__(self, application: Any, request: Any, **settings: Any) -> None:
        self.doors: Doors = settings.pop("doors")
        super().__init__(application, request, **settings)
        self.proxy_base = _BASE
        self.name = _RESOURCE
        self._socket: str | None = None
        self._failure: failures.Failure | None = None

    @property
    def unix_socket(self) -> str | None:
        """Where MLflow listens."""
        return self._socket

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Authenticate and authorize each request, and see that MLflow is there."""
        await super().prepare(*args, **kwargs)
        if self._finished:
            # Redirected to the login page.
            return
        self._check_site()
        await self._authorize()
        await self._find()

    def _check_site(self) -> None:
        """Refuse a change that another site's page sent with this user's cookie.

        MLflow cannot tell: behind a proxy it does not know the name under which the browser sees it.
        """
        if self.request.method in ("GET", "HEAD", "OPTIONS") or self.token_authenticated:
            return
        foreign = self.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
        if foreign or not self.request.headers.get("Origin") or not self.check_origin():
            raise NotAllowed("The request to MLflow comes from another site.", code="xsrf")

    async def _authorize(self) -> None:
        reads = self.request.method in ("GET", "HEAD", "OPTIONS") or bool(_READING.search(self.request.path))
        action = "read" if reads else "write"
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, _RESOURCE)):
            raise NotAllowed(
                f"{who_is(self.current_user)} is not allowed to {action} {_RESOURCE} on this server.",
                hint="The server's authorizer decides this; ask whoever runs the server.",
            )

    async def _find(self) -> None:
        async with self.doors.gate.use() as services:
            tracking = services.tracking
            if tracking is None:
                raise MlflowOff("MLflow is switched off here.", hint="Remove c.MlwsApp.mlflow = False.")
            if tracking.state().status != "ready" and self._is_for_people():
                # It takes seconds: meanwhile a page says so.
                self.doors.beside.do(_started(tracking))
                failed = tracking.state().error
                raise MlflowStarting(failed or "MLflow is starting …", hint="Ask again in a moment.")
            # What a page that is open asks for waits: MLflow's server may have ended since it was loaded.
            self._socket = str((await tracking.ensure()).socket)

    def _is_for_people(self) -> bool:
        return "text/html" in self.request.headers.get("Accept", "")

    async def _proxy_buffered(self, host: str, port: int, path: str, body: Any, client: Any) -> None:
        if self._socket is None or self.request.method != "GET" or not _DOWNLOAD.search(path):
            await super()._proxy_buffered(host, port, path, body, client)
            return
        # An artifact may be larger than the 100 MB that are held in memory otherwise.
        unlimited = SimpleAsyncHTTPClient(
            force_instance=True, resolver=UnixResolver(self._socket), max_body_size=2**63 - 1
        )
        await self._proxy_progressive(host, port, path, body, unlimited)

    def get_request_headers_override(self) -> dict[str, str]:
        """MLflow's security check knows this name alone."""
        headers = {"Host": "localhost"}
        if "Origin" in self.request.headers:
            # The origin was checked above against the name that the browser sees, as MLflow would do.
            headers["Origin"] = "http://localhost"
        return headers

    def proxy_request_headers(self) -> Any:
        """Keep what opens Jupyter to ourselves."""
        headers = super().proxy_request_headers()
        for secret in ("Authorization", "Cookie", "X-Xsrftoken"):
            headers.pop(secret, None)
        return headers

    def log_exception(self, kind: Any, error: Any, traceback: Any) -> None:
        """Log what is a mistake of ours. Tornado calls it first."""
        self._failure = failures.explain(error, method=self.request.method or "", path=self.request.path)
        if self._failure.note is not None:
            self.log.error(self._failure.note, exc_info=(kind, error, traceback))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A page for people, JSON for programs."""
        failure = self._failure or failures.explain(
            web.HTTPError(status_code), method=self.request.method or "", path=self.request.path
        )
        self.set_status(failure.status)
        self.set_header("Cache-Control", "no-store")
        if self._is_for_people() and failure.status == NotReady.status:
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(_WAITING.format(sentence=escape(failure.info.message)))
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(failure.body)


async def _started(tracking: Any) -> None:
    try:
        await tracking.ensure()
    except MlwsError:
        # The page says so: it is in the state.
        return
