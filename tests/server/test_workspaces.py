"""Workspaces are listed, made and changed in a running server; a broken one breaks nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from jupyter_mlws.server.routes.table import ROUTES
from tests.fixtures.place import Place
from tests.fixtures.servers import free_port_number

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer, StartServer


def runtime_files(server: RunningServer) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in server.place.runtime.rglob("server-*.json")]


def test_made_and_changed(start_server: StartServer, a_cell: Any, an_error: Any, wait_for: Any) -> None:
    server = start_server()
    with server.client() as api:
        first = api.get("/status").json()["workspace"]
        made = api.post("/workspaces", json={"name": "second"})
        assert (made.status_code, made.json()["current"]) == (201, False)
        an_error(api.post("/workspaces", json={"name": "second"}), 409)
        assert [each["name"] for each in api.get("/workspaces").json()["workspaces"]] == [
            *sorted([first["name"], "second"])
        ]
        job = api.post("/jobs", json=a_cell()).json()["id"]

        changed = api.post("/workspaces/second/activate").json()
        assert (changed["name"], changed["current"]) == ("second", True)
        assert api.get("/status").json()["workspace"]["id"] == made.json()["id"]
        an_error(api.get(f"/jobs/{job}"), 404)
        assert api.get("/jobs").json()["total"] == 0
        (entry,) = api.get("/audit", params={"noun": "workspace"}).json()["entries"]
        assert (entry["action"], json.loads(entry["before"])["name"]) == ("activate", first["name"])
        assert {each["workspace_id"] for each in runtime_files(server)} == {made.json()["id"]}
        current = [each["name"] for each in api.get("/workspaces").json()["workspaces"] if each["current"]]
        assert current == ["second"]

        # Again the one that is open: nothing happens. And back: the job went on meanwhile.
        assert api.post("/workspaces/second/activate").status_code == 200
        assert api.post(f"/workspaces/{first['name']}/activate").json()["id"] == first["id"]
        wait_for(lambda: api.get(f"/jobs/{job}").json()["status"] == "Completed", 60)


def test_requests_wait_while_it_changes(start_server: StartServer) -> None:
    import threading

    server = start_server()
    failures: list[str] = []
    over = threading.Event()

    def ask() -> None:
        with server.client() as api:
            while not over.is_set():
                answer = api.get("/jobs")
                if answer.status_code != 200:
                    failures.append(answer.text)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    with server.client() as api:
        first = api.get("/status").json()["workspace"]["name"]
        api.post("/workspaces", json={"name": "other"})
        for thread in threads:
            thread.start()
        for name in ("other", first, "other", first):
            assert api.post(f"/workspaces/{name}/activate").status_code == 200
        over.set()
    for thread in threads:
        thread.join(20)
    assert failures == []


@pytest.fixture
def broken_server(place: Place, wait_for: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server whose workspace cannot be opened, since a file is in its place."""
    place.workspace.write_text("a file")
    port = free_port_number()
    line = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    options = [f"--ServerApp.port={port}", "--IdentityProvider.token=t", "--ServerApp.port_retries=0"]
    process = subprocess.Popen(
        [*line, *options, "--ServerApp.jpserver_extensions=jupyter_mlws=True"],
        env=place.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    headers = {"Authorization": "token t"}

    def up() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/status", headers=headers).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_for(up)
        yield f"http://127.0.0.1:{port}/", headers
    finally:
        process.terminate()
        process.wait(20)


def test_a_workspace_that_cannot_be_opened(
    broken_server: tuple[str, dict[str, str]], place: Place, an_error: Any, wait_for: Any
) -> None:
    url, headers = broken_server
    with httpx.Client(base_url=f"{url}mlws/api/v1", headers=headers, timeout=60) as api:
        for route in ROUTES:
            if route.needs_workspace and route.method == "GET" and "{" not in route.path:
                asked = {"id": "0123456789abc"} if route.path == "/jobs/compare" else {}
                answer = api.get(route.path, params=asked)
                assert str(place.workspace) in an_error(answer, answer.status_code)["message"]
        assert api.post("/jobs", json={"kind": "cell", "name": "n", "code": "1"}).status_code in (409, 503)
        # All that is Jupyter's goes on, and so does what needs no workspace.
        assert httpx.get(f"{url}api/contents", headers=headers).status_code == 200
        assert api.get("/openapi.json").status_code == 200
        assert api.get("/workspaces").status_code == 200
        # Mended, it opens without a restart.
        place.workspace.unlink()
        wait_for(lambda: api.get("/status").status_code == 200, 30)


def test_another_one_can_be_opened_instead(broken_server: tuple[str, dict[str, str]]) -> None:
    url, headers = broken_server
    with httpx.Client(base_url=f"{url}mlws/api/v1", headers=headers, timeout=60) as api:
        assert api.post("/workspaces", json={"name": "good"}).status_code == 201
        assert api.post("/workspaces/good/activate").status_code == 200
        assert api.get("/status").json()["workspace"]["name"] == "good"
