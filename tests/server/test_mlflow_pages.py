"""MLflow's pages and API behind Jupyter's login, under any base URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import websocket_connect

from tests.fixtures.place import a_place
from tests.fixtures.servers import launch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.servers import RunningServer, StartServer

HTML = {"Accept": "text/html,application/xhtml+xml"}
CREATE = "api/2.0/mlflow/experiments/create"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with a_place() as made:
        server = launch(made, base_url="/a/b/")
        yield server
        server.stop()


@pytest.fixture(scope="module")
def pages(server: RunningServer, wait_for: Any) -> str:
    """The address of MLflow's pages, once they are there."""
    address = f"{server.url}mlws/mlflow/"
    first = httpx.get(address, headers={**server.headers, **HTML}, timeout=30)
    if first.status_code == 503:
        assert "MLflow is starting" in first.text
        assert "location.reload()" in first.text
    wait_for(lambda: httpx.get(address, headers=server.headers, timeout=30).status_code == 200, 90)
    return address


def test_strangers_are_led_to_the_login(server: RunningServer) -> None:
    address = f"{server.url}mlws/mlflow/"
    assert httpx.get(address, headers=HTML).status_code == 302
    assert httpx.post(address + CREATE, json={"name": "x"}).status_code in (302, 403)
    assert httpx.get(address, headers={"Authorization": "token wrong"}).status_code == 302


def test_the_pages_and_what_they_load(pages: str, server: RunningServer) -> None:
    page = httpx.get(pages, headers={**server.headers, **HTML})
    assert "<title>MLflow</title>" in page.text
    script = page.text.split('<script defer="defer" src="')[1].split('"')[0]
    loaded = httpx.get(pages + script, headers=server.headers)
    assert loaded.status_code == 200
    assert "javascript" in loaded.headers["Content-Type"]


def test_a_slash_is_added(pages: str, server: RunningServer) -> None:
    answer = httpx.get(pages.rstrip("/"), headers=server.headers)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/a/b/mlws/mlflow/")


def test_the_state_names_the_pages(pages: str, server: RunningServer) -> None:
    with server.client() as api:
        state = api.get("/mlflow").json()
    assert (state["status"], state["ui"]) == ("ready", "mlws/mlflow/")


def test_a_browser_changes_something_and_another_site_does_not(pages: str, server: RunningServer) -> None:
    origin = server.url.split("/a/b/")[0]
    with httpx.Client() as browser:
        browser.get(f"{server.url}login", params={"token": server.token})
        made = browser.post(pages + CREATE, json={"name": "by hand"}, headers={"Origin": origin})
        assert made.status_code == 200, made.text
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {},
            {"Origin": origin, "Sec-Fetch-Site": "cross-site"},
        ):
            refused = browser.post(pages + CREATE, json={"name": "by force"}, headers=headers)
            assert refused.status_code == 403, headers
            assert refused.json()["error"]["code"] == "xsrf"
        found = browser.post(
            pages + "api/2.0/mlflow/experiments/search", json={"max_results": 10}, headers={"Origin": origin}
        )
        names = [each["name"] for each in found.json()["experiments"]]
    assert "by hand" in names
    assert "by force" not in names


def test_an_artifact_larger_than_the_proxy_holds(pages: str, server: RunningServer) -> None:
    import json

    record = json.loads((server.workspace / "mlflow" / "server.json").read_text())
    name = "api/2.0/mlflow-artifacts/artifacts/large.bin"
    content = b"0123456789abcdef" * (7 * 2**20)
    sent = httpx.put(
        f"http://127.0.0.1:{record['port']}/{name}",
        content=content,
        headers={"Authorization": f"Bearer {record['token']}"},
        timeout=60,
    )
    assert sent.status_code == 200
    answer = httpx.get(pages + name, headers=server.headers, timeout=60)
    assert answer.status_code == 200
    assert answer.content == content


def test_jupyters_secrets_stay_here() -> None:
    from jupyter_server_proxy.handlers import ProxyHandler
    from tornado.httputil import HTTPHeaders

    from jupyter_mlws.server.mlflow_pages import MlflowPagesHandler

    class Bare(MlflowPagesHandler):
        def __init__(self) -> None:
            self.request = type("Request", (), {})()
            self.request.headers = HTTPHeaders(
                {
                    "Authorization": "token t",
                    "Cookie": "a=b",
                    "X-XSRFToken": "c",
                    "Origin": "http://hub",
                    "Host": "hub",
                }
            )

    assert issubclass(MlflowPagesHandler, ProxyHandler)
    assert dict(Bare().proxy_request_headers()) == {"Origin": "http://localhost", "Host": "localhost"}


def test_switched_off(start_server: StartServer, an_error: Any) -> None:
    server = start_server(arguments=["--MlwsApp.mlflow=False"])
    with server.client() as api:
        assert api.get("/mlflow").json()["status"] == "stopped"
        assert api.get("/status").status_code == 200
    an_error(httpx.get(f"{server.url}mlws/mlflow/", headers=server.headers), 503)


async def test_a_websocket_wants_a_user_too(server: RunningServer) -> None:
    address = server.url.replace("http://", "ws://") + "mlws/mlflow/socket"
    with pytest.raises(HTTPClientError, match="403"):
        await websocket_connect(address)
