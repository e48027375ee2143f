"""Fixtures of the server's tests: a logged-in client, and the event stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer


@pytest.fixture
def api(jupyter_server: RunningServer) -> Iterator[httpx.Client]:
    """An HTTP client for our routes, logged in by token."""
    with jupyter_server.client() as client:
        yield client


class EventStream:
    """Jupyter's event stream, as a browser listens to it."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection

    async def next(self, schema: str, timeout: float = 20) -> dict[str, Any]:
        """The next event whose schema id has `schema` in it."""
        async with asyncio.timeout(timeout):
            while True:
                text = await self._connection.read_message()
                assert text is not None, "the event stream was closed"
                event = json.loads(text)
                if schema in event["schema_id"]:
                    return event


@contextlib.asynccontextmanager
async def listen(server: RunningServer) -> AsyncIterator[EventStream]:
    """Subscribe to the events of `server`."""
    url = server.url.replace("http://", "ws://") + "api/events/subscribe"
    connection = await websocket_connect(HTTPRequest(url, headers=server.headers))
    try:
        yield EventStream(connection)
    finally:
        connection.close()


@pytest.fixture
def open_events() -> Any:
    """`async with open_events(server) as events: await events.next("change")`."""
    return listen


def cell(code: str = "x = 1\nprint(x)", **fields: Any) -> dict[str, Any]:
    """The body that submits a cell."""
    return {"kind": "cell", "name": "a cell", "code": code, **fields}


@pytest.fixture
def a_cell() -> Any:
    """`a_cell(code, **fields)`: the body that submits a cell."""
    return cell


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """The error of an answer, after checking that it is one of ours with this status."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint"}
    message = body["error"]["message"]
    assert message and "Traceback" not in response.text and 'File "' not in response.text
    return body["error"]


@pytest.fixture
def an_error() -> Any:
    """`an_error(response, status)`: check the body of an error answer and return the error."""
    return error_of
