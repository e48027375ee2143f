"""What changes is told on Jupyter's event stream; which notebook it is, is asked there."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import nbformat
import pytest

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer


async def start_kernel(
    server: RunningServer, client: httpx.AsyncClient, path: str, kind: str = "notebook"
) -> str:
    """Open a notebook as JupyterLab does; return the id of its kernel."""
    body = {"path": path, "type": kind, "name": path, "kernel": {"name": "python3"}}
    session = await client.post(f"{server.url}api/sessions", json=body)
    assert session.status_code == 201, session.text
    return str(session.json()["kernel"]["id"])


@pytest.fixture
async def client(jupyter_server: RunningServer) -> Any:
    async with httpx.AsyncClient(
        base_url=jupyter_server.api, headers=jupyter_server.headers, timeout=60
    ) as client:
        yield client


async def test_a_job_is_told_of(
    jupyter_server: RunningServer, client: Any, open_events: Any, a_cell: Any
) -> None:
    async with open_events(jupyter_server) as events:
        job = (await client.post("/jobs", json=a_cell())).json()
        workspace = (await client.get("/status")).json()["workspace"]["id"]
        event = await events.next("change")
        while event["id"] != job["id"]:
            event = await events.next("change")
        assert event["workspace"] == workspace
        assert event["noun"] == "job"
        assert event["sequence"] > 0
        last = event["sequence"]
        while event["status"] not in ("Completed", "Failed"):
            event = await events.next("change", timeout=60)
            assert event["sequence"] > last
            last = event["sequence"]


async def test_a_deletion_is_told_at_once(
    jupyter_server: RunningServer, client: Any, open_events: Any, a_cell: Any
) -> None:
    job = (await client.post("/jobs", json=a_cell("import time; time.sleep(300)"))).json()["id"]
    async with open_events(jupyter_server) as events:
        event = await events.next("change", timeout=60)
        while (event["id"], event["status"]) != (job, "Running"):
            event = await events.next("change", timeout=60)
        assert (await client.delete(f"/jobs/{job}")).status_code == 204
        told = []
        # What was written before it was deleted may be told after it, and has a status.
        while None not in told:
            event = await events.next("change")
            if event["id"] == job:
                told.append(event["status"])
        folder = jupyter_server.workspace / "jobs" / job
        while folder.exists():
            event = await events.next("change", timeout=60)
            assert event["id"] != job or event["status"] is None


async def test_the_screen_answers(jupyter_server: RunningServer, client: Any, open_events: Any) -> None:
    kernel = "7f9c0a5e-1111-4b52-9f1e-3d1f6e9a0b0c"
    content = {"cells": [], "metadata": {"ünï": "code"}, "nbformat": 4, "nbformat_minor": 5}
    async with open_events(jupyter_server) as events:
        asking = asyncio.create_task(client.post("/notebooks/ask", json={"kernel_id": kernel}))
        request = await events.next("notebook-request")
        assert request["kernel_id"] == kernel
        address = f"/notebooks/answers/{request['request_id']}"
        body = {"path": "sub/my notebook.ipynb", "dirty": True, "content": content}
        assert (await client.put(address, json=body)).status_code == 204
        # A second window with the same notebook answers too, and is told nothing.
        assert (await client.put(address, json=body)).status_code == 204
        found = (await asking).json()
    folder = str(jupyter_server.place.folder / "sub")
    assert found == {**body, "source": "screen", "folder": folder}


@pytest.mark.parametrize("size", [1, 120])
async def test_notebooks_of_any_size(
    jupyter_server: RunningServer, client: Any, open_events: Any, size: int
) -> None:
    content = {"cells": [{"source": "y" * 10**6}] * size, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    body = json.dumps({"path": "big.ipynb", "dirty": False, "content": content}).encode()
    async with open_events(jupyter_server) as events:
        asking = asyncio.create_task(client.post("/notebooks/ask", json={"kernel_id": "k"}))
        request = await events.next("notebook-request")
        answer = await client.put(f"/notebooks/answers/{request['request_id']}", content=body)
        assert answer.status_code == 204, answer.text
        found = (await asking).json()
    assert found["content"] == content
    assert found["folder"] == str(jupyter_server.place.folder)


async def test_an_answer_that_is_none(
    jupyter_server: RunningServer, client: Any, open_events: Any, an_error: Any
) -> None:
    good = {"path": "a.ipynb", "dirty": False, "content": {}}
    an_error(await client.put("/notebooks/answers/unknown", json=good), 404)
    async with open_events(jupyter_server) as events:
        asking = asyncio.create_task(client.post("/notebooks/ask", json={"kernel_id": "k"}))
        address = f"/notebooks/answers/{(await events.next('notebook-request'))['request_id']}"
        for body in ({}, {**good, "content": []}, {**good, "source": "disk"}, {**good, "path": 7}):
            an_error(await client.put(address, json=body), 422)
        an_error(await client.put(address, content=b"not json"), 400)
        assert (await client.put(address, json=good)).status_code == 204
        assert (await asking).json()["source"] == "screen"


async def test_without_a_browser_the_disk_answers(
    jupyter_server: RunningServer, client: Any, an_error: Any
) -> None:
    path = jupyter_server.place.folder / "saved.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    nbformat.write(notebook, path)
    kernel = await start_kernel(jupyter_server, client, "saved.ipynb")
    found = (await client.post("/notebooks/ask", json={"kernel_id": kernel})).json()
    assert (found["path"], found["source"], found["dirty"]) == ("saved.ipynb", "disk", False)
    assert found["folder"] == str(jupyter_server.place.folder)
    assert found["content"] == json.loads(path.read_text())
    # A browser that is there and does not show the notebook is waited for, and then the disk answers too.
    path.write_text("{ this is no notebook")
    an_error(await client.post("/notebooks/ask", json={"kernel_id": kernel}), 409)
    path.write_bytes(b"\xff\xfe\x00")
    an_error(await client.post("/notebooks/ask", json={"kernel_id": kernel}), 409)
    path.unlink()
    an_error(await client.post("/notebooks/ask", json={"kernel_id": kernel}), 404)


async def test_a_browser_that_does_not_answer(
    jupyter_server: RunningServer, client: Any, open_events: Any
) -> None:
    path = jupyter_server.place.folder / "other.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    kernel = await start_kernel(jupyter_server, client, "other.ipynb")
    async with open_events(jupyter_server):
        found = (await client.post("/notebooks/ask", json={"kernel_id": kernel})).json()
    assert found["source"] == "disk"


@pytest.mark.parametrize("kernel", ["nope", "x" * 10_000, "", "../x", "a'b", 7])
async def test_kernels_that_there_are_not(client: Any, an_error: Any, kernel: Any) -> None:
    an_error(
        await client.post("/notebooks/ask", json={"kernel_id": kernel}), 404 if kernel == "nope" else 422
    )


async def test_a_console_is_no_notebook(jupyter_server: RunningServer, client: Any, an_error: Any) -> None:
    kernel = await start_kernel(jupyter_server, client, "console-1", kind="console")
    error = an_error(await client.post("/notebooks/ask", json={"kernel_id": kernel}), 404)
    assert "console" in error["message"]
