"""The door of MLflow's server: what asks must show the token, and our own paths are answered here."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from jupyter_mlws.tracking.address import HEALTH, health
from jupyter_mlws.tracking.shipping_request import PATH, AskedWrongly

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_LARGEST_QUESTION = 1_000_000
"""Bytes of a request to ship."""


class Door:
    """An ASGI application before MLflow's: demands the token, and says which process answers."""

    def __init__(self, app: App, *, token: str, ship: Callable[[bytes], Awaitable[bytes]]) -> None:
        """`ship` answers a request to ship (tracking/shipping_request.py); raises `AskedWrongly`."""
        self._app = app
        self._ship = ship
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request; the arguments are those of ASGI."""
        if scope["type"] in ("http", "websocket"):
            if not self._may_enter(scope):
                return await _answer(scope, send, status=401, body=_REFUSAL)
            if scope["path"] == HEALTH:
                return await _answer(scope, send, status=200, body=health(os.getpid()))
            if scope["path"] == PATH and scope["type"] == "http":
                return await self._answer_shipping(scope, receive, send)
        await self._app(scope, receive, send)

    async def _answer_shipping(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            content = await self._ship(await _body(receive))
        except AskedWrongly as error:
            refusal = {"error_code": "INVALID_PARAMETER_VALUE", "message": str(error)}
            return await _answer(scope, send, status=400, body=refusal)
        await _send_json(send, status=200, content=content)

    def _may_enter(self, scope: Scope) -> bool:
        server = scope.get("server")
        # uvicorn gives the path and no port for a unix socket; anything else must show the token.
        if server is not None and server[1] is None:
            return True
        headers = dict(scope["headers"])
        return secrets.compare_digest(headers.get(b"authorization", b""), self._expected)


_REFUSAL = {
    "error_code": "UNAUTHENTICATED",
    "message": "MLflow's server of this workspace demands its token: set MLFLOW_TRACKING_TOKEN.",
}


async def _answer(scope: Scope, send: Send, *, status: int, body: dict[str, Any]) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await _send_json(send, status=status, content=json.dumps(body).encode())


async def _send_json(send: Send, *, status: int, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _body(receive: Receive) -> bytes:
    """Return the body of a request. Raises `AskedWrongly` for one that is too long, or broken off."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise AskedWrongly("the request was broken off.")
        body += bytes(message.get("body", b""))
        if len(body) > _LARGEST_QUESTION:
            raise AskedWrongly(f"it is longer than {_LARGEST_QUESTION} bytes.")
        if not message.get("more_body", False):
            return body
