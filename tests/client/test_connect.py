import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

import jupyter_mlws as mlws
from jupyter_mlws.client import discovery, places
from jupyter_mlws.client.failures import (
    ConnectionClosed,
    NotOurServer,
    OtherVersion,
    ServerUnreachable,
    TokenRefused,
)
from jupyter_mlws.client.finder import Finder, NoServer
from jupyter_mlws.client.headless import ServerStartFailed, WorkspaceUnknown
from jupyter_mlws.client.transport import is_loopback
from jupyter_mlws.model.errors import Invalid


@pytest.fixture
def foreign():
    """A web server that is not ours: it answers every request with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        answer = (404, b"<html>no</html>")

        def do_GET(self):
            status, body = type(self).answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    server.shutdown()
    server.server_close()


def test_explicit_address_and_token(jupyter_server):
    with mlws.connect(url=jupyter_server.url, token=jupyter_server.token) as ws:
        assert ws.path == str(jupyter_server.workspace)
        assert ws.status().workspace.id == ws.id
        assert [each.name for each in ws.computes.list()] == ["local"]
        assert ws.computes.get("local").capacity.cpus > 0


def test_the_environment_names_the_server(jupyter_server, monkeypatch):
    monkeypatch.setenv("MLWS_SERVER_URL", jupyter_server.url)
    monkeypatch.setenv("MLWS_TOKEN", jupyter_server.token)
    with mlws.connect() as ws:
        assert ws.path == str(jupyter_server.workspace)


def test_a_wrong_and_a_missing_token_are_sentences(jupyter_server):
    with pytest.raises(TokenRefused, match="refuses the token from the argument token") as caught:
        mlws.connect(url=jupyter_server.url, token="wrong-token")
    assert "wrong-token" not in str(caught.value)
    with pytest.raises(TokenRefused, match="wants a token and none was given"):
        mlws.connect(url=jupyter_server.url)


def test_an_address_where_nobody_answers_is_a_sentence(free_port):
    with pytest.raises(ServerUnreachable, match=f"127.0.0.1:{free_port}.*refused"):
        mlws.connect(url=f"http://127.0.0.1:{free_port}", token="t")


def test_what_is_no_address_is_a_sentence():
    with pytest.raises(Invalid, match="'localhost:8888' from the argument url is no URL"):
        mlws.connect(url="localhost:8888")


def test_a_server_without_the_extension_is_a_sentence(foreign):
    url, _ = foreign
    with pytest.raises(NotOurServer, match="jupyter_mlws is not installed there"):
        mlws.connect(url=url)


@pytest.mark.parametrize("answer", [{"version": "99.0"}, {"version": "0.1", "surprise": 1}, []])
def test_a_server_of_another_version_is_a_sentence(foreign, answer):
    url, handler = foreign
    handler.answer = (200, json.dumps(answer).encode())
    with pytest.raises(OtherVersion, match="do not understand each other"):
        mlws.connect(url=url)


def test_a_running_server_is_found_by_its_runtime_file(start_server, monkeypatch):
    server = start_server(base_url="/deep/er/")
    with mlws.connect() as ws:
        assert ws.url == server.url.rstrip("/")
        assert ws.server_pid == server.process.pid
    # The path decides, whatever the environment says.
    monkeypatch.setenv("MLWS_WORKSPACE", "/nowhere/at/all")
    with mlws.connect(str(server.workspace)) as ws:
        assert ws.server_pid == server.process.pid


def test_nothing_is_started_when_that_is_not_wanted():
    with pytest.raises(NoServer, match="No server runs"):
        mlws.connect(start=False)


def test_a_name_that_no_workspace_has_starts_nothing(place):
    with pytest.raises(WorkspaceUnknown, match="'nope'"):
        mlws.connect("nope")
    assert not (place.data / "mlws" / "logs").exists()


def test_many_that_ask_at_once_start_one_server(place, wait_for):
    code = (
        "import jupyter_mlws as mlws\n"
        "ws = mlws.connect(say=lambda text: None)\n"
        "print(ws.server_pid, ws.status().headless)"
    )
    asking = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=place.environ(), text=True)
        for _ in range(3)
    ]
    told = {process.communicate(timeout=120)[0].strip() for process in asking}
    assert len(told) == 1
    pid, headless = told.pop().split()
    assert headless == "True"
    server = psutil.Process(int(pid))
    # Of its own session, with the token nowhere in its command line, and its log kept.
    assert server.cmdline()[1:3] == ["-m", "jupyter_server"]
    address = discovery.find(places.choose(None), environment={})
    assert address.token
    assert address.token not in " ".join(server.cmdline())
    (log,) = (place.data / "mlws" / "logs").iterdir()
    assert "is running at" in log.read_text()

    lines = []
    with mlws.connect(say=lines.append) as ws:
        assert lines == []
        ws.stop_server()
    wait_for(lambda: discovery.find(places.choose(None), environment={}) is None, what="the server's end")


def test_a_server_that_cannot_start_says_why(place):
    place.workspace.mkdir()
    (place.workspace / "something.txt").write_text("not a workspace")
    lines = []
    with pytest.raises(ServerStartFailed) as caught:
        mlws.connect(say=lines.append)
    assert str(place.workspace) in caught.value.message
    assert "not a workspace" in caught.value.message
    assert "log" in caught.value.hint
    assert len(lines) == 1


async def test_the_asynchronous_twin(jupyter_server):
    async with await mlws.aconnect(url=jupyter_server.url, token=jupyter_server.token) as ws:
        assert (await ws.status()).workspace.id == ws.id
        job = await ws.jobs.submit_cell("x = 6 * 7\nprint('seen')")
        assert await job.result("x") == 42
        assert "seen" in await job.logs()
        seen = [event.type async for event in job.events()]
        assert (seen[0], seen[-1]) == ("attempt", "status")
        assert job.id in [each.id for each in await ws.jobs.list()]


def test_a_closed_connection_says_so(jupyter_server):
    ws = mlws.connect(url=jupyter_server.url, token=jupyter_server.token)
    ws.close()
    with pytest.raises(ConnectionClosed, match="closed"):
        ws.status()


def test_the_finder_prefers_what_the_call_said(monkeypatch):
    monkeypatch.setenv("MLWS_SERVER_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("MLWS_TOKEN", "env")
    assert Finder(url="http://127.0.0.1:2/x/", token="call").look().url == "http://127.0.0.1:2/x"
    assert Finder().look().source == "MLWS_SERVER_URL"
    assert Finder(workspace="/some/where").look() is None


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:8888", True),
        ("https://localhost/x", True),
        ("http://[::1]:1", True),
        ("https://example.org", False),
        ("http://10.0.0.1", False),
    ],
)
def test_which_addresses_are_this_machine(url, near):
    assert is_loopback(url) is near


def test_the_address_of_a_server_is_no_workspace(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Invalid, match="http://127.0.0.1:8888.*is the address of a server"):
        mlws.connect("http://127.0.0.1:8888")
    assert list(tmp_path.iterdir()) == []
