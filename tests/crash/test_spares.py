"""Our server or a worker is killed while a kernel waits on another Jupyter server: none is left there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlws.kernels.remote.spares import READY, STARTING, notes
from tests.crash.asking import ended, text
from tests.remotes.server import Elsewhere, running

FEW = ["--MlwsApp.mlflow=False"]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with running("server") as server:
        yield server


def submit(client: httpx.Client, code: str) -> str:
    spec = {"kind": "cell", "name": "there", "code": code, "compute": "lab2"}
    answer = client.post("/jobs", json=spec)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def begin(client: httpx.Client, elsewhere: Elsewhere) -> None:
    """Make the compute, and have a job run there."""
    asked = {"type": "jupyter", "url": elsewhere.url, "token": elsewhere.token, "check": False}
    assert client.put("/computes/lab2", json=asked).status_code in (200, 201)
    submit(client, "print(1)")


def of_notes(server: Any, *suffixes: str) -> list[Path]:
    return notes(server.workspace / "spares", *suffixes)


@pytest.mark.parametrize("state", [STARTING, READY])
def test_a_server_that_is_killed_leaves_no_kernel(
    start_server: Any, wait_for: Any, elsewhere: Elsewhere, state: str
) -> None:
    server = start_server(arguments=FEW)
    with server.client() as client:
        begin(client, elsewhere)
        wait_for(lambda: of_notes(server, state), 90, what=f"a kernel that is{state}")
        server.kill()
    if state == READY:
        assert len(elsewhere.kernels()) == 1
    again = start_server(arguments=FEW)
    wait_for(lambda: not of_notes(again), 150, what="that nothing is noted")
    assert elsewhere.kernels() == []
    with again.client() as client:
        id = submit(client, "print('on')")
        job = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert (job["status"], text(client, id)) == ("Completed", "on\n")


def test_a_worker_that_took_it_and_was_killed_leaves_no_kernel(
    start_server: Any, wait_for: Any, elsewhere: Elsewhere
) -> None:
    server = start_server(arguments=FEW)
    with server.client() as client:
        begin(client, elsewhere)
        wait_for(lambda: of_notes(server, READY), 90, what="a kernel that waits")
        id = submit(client, "import time; print('on', flush=True); time.sleep(600)")
        folder = server.workspace / "jobs" / id / "attempts" / "1"
        wait_for((folder / "remote-kernel.json").exists, 90, what="that the worker took it")
        assert of_notes(server) == []
        worker = wait_for(lambda: client.get(f"/jobs/{id}/attempts").json()["attempts"][0]["pid"])
        server.kill()
        os.kill(worker, signal.SIGKILL)
    again = start_server(arguments=FEW)
    with again.client() as client:
        job = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert (job["status"], job["error"]["code"]) == ("Failed", "worker_died")
    assert elsewhere.kernels() == []


def test_a_server_that_is_told_to_end_leaves_none_and_is_quick(
    start_server: Any, wait_for: Any, elsewhere: Elsewhere
) -> None:
    server = start_server(arguments=FEW)
    with server.client() as client:
        begin(client, elsewhere)
        wait_for(lambda: of_notes(server, READY), 90, what="a kernel that waits")
        psutil.Process(elsewhere.process.pid).suspend()  # not even a remote that hangs holds it up
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
    psutil.Process(elsewhere.process.pid).resume()
    again = start_server(arguments=FEW)
    wait_for(lambda: not of_notes(again), 150, what="that nothing is noted")
    assert elsewhere.kernels() == []
    again.process.send_signal(signal.SIGTERM)
    again.process.wait(30)
