"""Who may do what: Jupyter's identity and authorizer decide, on every route, and a refusal is a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import websocket_connect

from jupyter_mlws.server.routes.table import ROUTES
from jupyter_mlws.server.who import account

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer, StartServer

EVERY_ROUTE = [(route.method, re.sub(r"\{\w+\}", "x", route.path)) for route in ROUTES]

# Lets everybody read, and nobody change anything or run anything.
READER = """
from jupyter_server.auth import Authorizer

class Reader(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return action == "read"

c.ServerApp.authorizer_class = Reader
"""


@pytest.mark.parametrize(("method", "path"), EVERY_ROUTE)
def test_every_route_wants_a_user(
    jupyter_server: RunningServer, an_error: Any, method: str, path: str
) -> None:
    for headers in ({}, {"Authorization": "token wrong"}, {"Cookie": "_xsrf=a; username-x=b"}):
        answer = httpx.request(method, jupyter_server.api + path, headers=headers)
        assert answer.status_code == 401
        if method != "HEAD":
            an_error(answer, 401)


def test_a_wrong_token_is_called_that(jupyter_server: RunningServer, an_error: Any) -> None:
    answer = httpx.get(f"{jupyter_server.api}/status", headers={"Authorization": "token wrong"})
    error = an_error(answer, 401)
    assert error["code"] == "wrong_token"
    assert "jupyter server list" in error["hint"]


def test_an_unknown_path_says_nothing_to_strangers(jupyter_server: RunningServer, an_error: Any) -> None:
    an_error(httpx.get(f"{jupyter_server.api}/nope"), 401)
    an_error(httpx.get(f"{jupyter_server.api}/nope", headers=jupyter_server.headers), 404)


async def test_the_event_stream_wants_a_user(jupyter_server: RunningServer) -> None:
    url = jupyter_server.url.replace("http://", "ws://") + "api/events/subscribe"
    with pytest.raises(HTTPClientError, match="403"):
        await websocket_connect(url)


def test_token_logins_act_as_the_account_of_the_server(api: httpx.Client, a_cell: Any) -> None:
    assert api.get("/status").json()["user"] == account()
    job = api.post("/jobs", json=a_cell()).json()
    assert job["created_by"] == account()
    entries = api.get("/audit", params={"noun": "job", "id": job["id"]}).json()["entries"]
    assert [(entry["who"], entry["action"]) for entry in entries] == [(account(), "submit")]


def test_a_browser_needs_the_xsrf_token(jupyter_server: RunningServer, an_error: Any, a_cell: Any) -> None:
    with httpx.Client(base_url=jupyter_server.api) as browser:
        # The token in the address logs in by cookie, as the link that Jupyter prints does.
        assert browser.get(f"{jupyter_server.url}login?next=%2Fapi", params={"token": jupyter_server.token})
        assert browser.get("/status").status_code == 200
        error = an_error(browser.post("/jobs", json=a_cell()), 403)
        assert error["code"] == "xsrf"
        headers = {"X-XSRFToken": browser.cookies["_xsrf"]}
        assert browser.post("/jobs", json=a_cell(), headers=headers).status_code == 201
        elsewhere = {**headers, "Origin": "http://evil.example"}
        assert browser.post("/jobs", json=a_cell(), headers=elsewhere).status_code in (403, 404)


@pytest.mark.slow
def test_a_reader_can_read_and_nothing_else(
    start_server: StartServer, place: Any, an_error: Any, a_cell: Any
) -> None:
    config = place.root / "reader_config.py"
    config.write_text(READER)
    server = start_server(arguments=[f"--config={config}"])
    with server.client() as client:
        for method, path in EVERY_ROUTE:
            answer = client.request(method, path, content=b"{}")
            route = next(
                each for each in ROUTES if (each.method, re.sub(r"\{\w+\}", "x", each.path)) == (method, path)
            )
            if route.action == "read":
                assert answer.status_code != 403, (method, path)
            else:
                error = an_error(answer, 403)
                assert error["code"] == "not_allowed"
                assert route.action in error["message"]
        assert client.get("/jobs").json()["jobs"] == []
        pages = f"{server.url}mlws/mlflow/api/2.0/mlflow/experiments/create"
        an_error(httpx.post(pages, headers=server.headers, json={"name": "x"}), 403)
        search = f"{server.url}mlws/mlflow/ajax-api/2.0/mlflow/runs/search"
        assert httpx.post(search, headers=server.headers, json={}).status_code != 403


@pytest.mark.slow
def test_a_server_with_a_password_alone_is_reached_by_its_kernels(
    start_server: StartServer, place: Any, wait_for: Any
) -> None:
    import json
    import subprocess
    import sys

    from jupyter_server.auth import passwd

    from tests.fixtures.servers import free_port_number

    config = place.root / "password_config.py"
    config.write_text(
        f"c.PasswordIdentityProvider.hashed_password = {passwd('secret', 'sha1')!r}\n"
        "c.ServerApp.jpserver_extensions = {'jupyter_mlws': True}\n"
    )
    line = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--config={config}"]
    process = subprocess.Popen(
        [*line, f"--ServerApp.port={free_port_number()}"],
        env=place.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        (file,) = wait_for(lambda: list(place.runtime.rglob(f"server-{process.pid}.json")))
        found = json.loads(file.read_text())
        assert len(found["token"]) >= 32
        headers = {"Authorization": f"token {found['token']}"}
        assert httpx.get(f"{found['url']}mlws/api/v1/status", headers=headers).status_code == 200
        assert httpx.get(f"{found['url']}mlws/api/v1/status").status_code == 401
    finally:
        process.terminate()
        process.wait(20)
