"""Requests that are held: how long, and that they keep no server from its end."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.fixtures.servers import StartServer

MANY = 50


@pytest.mark.parametrize("path", ["", "/events"])
@pytest.mark.parametrize("wait", ["-1", "31", "nan", "x"])
def test_a_wait_that_cannot_be(api: httpx.Client, path: str, wait: str) -> None:
    answer = api.get(f"/jobs/0123456789abc{path}", params={"wait": wait})
    assert answer.status_code == 422
    assert "wait" in answer.json()["error"]["message"]


def test_a_job_that_is_not_there_is_not_waited_for(api: httpx.Client) -> None:
    for path in ("", "/events"):
        answer = api.get(f"/jobs/0123456789abc{path}", params={"wait": 30})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job_not_found")


def test_the_end_of_a_job_is_answered(api: httpx.Client, a_cell: Any) -> None:
    job = api.post("/jobs", json=a_cell("print(6 * 7)")).json()
    while not (found := api.get(f"/jobs/{job['id']}", params={"wait": 30}).json())["ended_at"]:
        pass
    assert found["status"] == "Completed"
    page = api.get(f"/jobs/{job['id']}/events", params={"wait": 30}).json()
    assert (page["done"], page["status"], page["newest"]) == (True, "Completed", 1)
    rest = api.get(f"/jobs/{job['id']}/events", params={"wait": 30, "offset": page["next"]}).json()
    assert (rest["done"], rest["events"]) == (True, [])


async def test_the_server_ends_at_once_though_many_wait(start_server: StartServer, a_cell: Any) -> None:
    server = start_server()
    limits = httpx.Limits(max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=server.api, headers=server.headers, timeout=60, limits=limits
    ) as client:
        job = (await client.post("/jobs", json=a_cell("import time; time.sleep(600)"))).json()["id"]
        held = [
            asyncio.create_task(client.get(f"/jobs/{job}{path}"))
            for path in ("?wait=30", "/events?attempt=2&wait=30")
            for _ in range(MANY)
        ]
        await asyncio.wait(held, timeout=1)  # not one of them is answered
        assert not any(task.done() for task in held)
        for task in held[::3]:
            task.cancel()
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(server.process.wait, 20)
        assert time.monotonic() - began < 10  # half a second where nothing else runs; they are held for 30
        await asyncio.gather(*held, return_exceptions=True)
    with start_server().client() as api:
        assert api.delete(f"/jobs/{job}").status_code == 204


def test_a_request_whose_client_has_gone_is_held_no_more(
    start_server: StartServer, a_cell: Any, wait_for: Any
) -> None:
    server = start_server(arguments=["--ServerApp.log_level=DEBUG"])
    with server.client() as api:
        job = api.post("/jobs", json=a_cell("import time; time.sleep(600)")).json()["id"]
        with pytest.raises(httpx.ReadTimeout):
            api.get(f"/jobs/{job}", params={"wait": 29}, timeout=1)
        # It is over for the server, which writes so in its log, long before the time that was asked for.
        began = time.monotonic()
        wait_for(lambda: "wait=29" in server.log.read_text())
        assert time.monotonic() - began < 15
        assert api.delete(f"/jobs/{job}").status_code == 204
