"""Hardships short of a kill: processes that are stopped, a database that is locked, a leader that is lost."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.crash.asking import ended, text
from tests.crash.victims import living

LINES = 20_000
# More than ZMQ's default limits hold, so that a reader that is stopped would lose some of it.
COUNTING = f"""
import time
from pathlib import Path
print("begun", flush=True)
Path("effects").open("a").write("x")
while not Path("go").exists(): time.sleep(0.02)
for number in range({LINES}):
    print("line", number)
    if number % 20 == 0: import sys; sys.stdout.flush()
Path("done").touch()
"""
WHOLE = "begun\n" + "".join(f"line {number}\n" for number in range(LINES))


def submit(client: httpx.Client, folder: Path, code: str) -> str:
    spec = {
        "kind": "cell",
        "name": "hardship",
        "code": code,
        "folder": str(folder),
        "kernel": {"executable": sys.executable},
    }
    answer = client.post("/jobs", json=spec)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def job(client: httpx.Client, id: str) -> Any:
    return client.get(f"/jobs/{id}").json()


@contextlib.contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def process_of(server: Any, role: str) -> psutil.Process:
    everything = living(
        psutil.Process(server.process.pid), workspace=server.workspace, runtime=server.place.runtime
    )
    return next(victim.process for victim in everything if victim.role == role)


@pytest.mark.parametrize("role", ["worker", "kernel", "server"])
def test_a_stopped_process_loses_nothing(start_server: Any, wait_for: Any, role: str) -> None:
    server = start_server()
    folder = server.place.folder
    with server.client() as client:
        id = submit(client, folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
        with stopped(process_of(server, role)):
            (folder / "go").touch()
            if role == "kernel":
                assert job(client, id)["status"] == "Running"
            else:
                wait_for((folder / "done").exists, 90, what="the end of the code")
        found = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert found["status"] == "Completed", found["error"]
        assert text(client, id) == WHOLE


def test_a_job_whose_worker_is_stopped_can_be_canceled(start_server: Any, wait_for: Any) -> None:
    server = start_server()
    with server.client() as client:
        id = submit(client, server.place.folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
        worker = process_of(server, "worker")
        kernel = process_of(server, "kernel")
        worker.send_signal(signal.SIGSTOP)
        assert client.post(f"/jobs/{id}/cancel").status_code == 200
        found = wait_for(lambda: ended(client, id), 120, what="the end of the job")
        assert found["status"] == "Canceled"
        wait_for(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE)


def test_both_servers_serve_and_when_the_leader_is_killed_the_other_leads(
    start_server: Any, wait_for: Any
) -> None:
    first, second = start_server(), start_server()
    (first.place.folder / "go").touch()
    with first.client() as one, second.client() as other:
        leads = [client.get("/status").json()["leader"] for client in (one, other)]
        assert leads == [True, False]
        ids = [submit(client, first.place.folder, COUNTING) for client in (one, other)]
        first.kill()
        wait_for(lambda: other.get("/status").json()["leader"], what="the other's lead")
        for id in ids:
            found = wait_for(lambda id=id: ended(other, id), 90, what=f"the end of {id}")
            assert found["status"] == "Completed", found["error"]
            assert text(other, id) == WHOLE
        # A killed server may leave an attempt that did not begin; another is made for it.
        assert (first.place.folder / "effects").read_text() == "xx"


def test_a_leader_that_was_stopped_finds_another_and_leads_no_more(start_server: Any, wait_for: Any) -> None:
    first, second = start_server(), start_server()
    with first.client() as one, second.client() as other:
        before = submit(one, first.place.folder, COUNTING)
        # Not in the middle of its start: what is stopped in a transaction keeps the database from all others.
        wait_for(lambda: text(one, before) == "begun\n", what="the job's begin")
        with stopped(psutil.Process(first.process.pid)):
            wait_for(lambda: other.get("/status").json()["leader"], what="the other's lead")
            (first.place.folder / "go").touch()
            meanwhile = submit(other, first.place.folder, COUNTING)
            wait_for(lambda: ended(other, meanwhile), 90, what="the end of the job")
        wait_for(lambda: not one.get("/status").json()["leader"], what="the first one's insight")
        after = submit(one, first.place.folder, COUNTING)
        for id in (before, meanwhile, after):
            found = wait_for(lambda id=id: ended(one, id), 90, what=f"the end of {id}")
            assert found["status"] == "Completed", found["error"]
            assert text(other, id) == WHOLE
        assert (first.place.folder / "effects").read_text() == "xxx"


def test_a_locked_database_makes_a_submission_wait_and_harms_no_job(start_server: Any, wait_for: Any) -> None:
    server = start_server()
    folder = server.place.folder
    with server.client() as client:
        running = submit(client, folder, COUNTING)
        wait_for(lambda: "begun" in text(client, running), 90, what="the first output")
        holding = sqlite3.connect(server.workspace / "mlws.db", isolation_level=None)
        holding.execute("BEGIN IMMEDIATE")
        (folder / "go").touch()
        accepted: list[str] = []
        waiting = threading.Thread(target=lambda: accepted.append(submit(client, folder, COUNTING)))
        waiting.start()
        wait_for((folder / "done").exists, 90, what="the end of the code")
        with server.client() as another:
            # The event loop is free, and what needs no writing is answered.
            assert job(another, running)["status"] == "Running"
        assert not accepted
        holding.execute("ROLLBACK")
        holding.close()
        waiting.join(60)
        for id in (running, *accepted):
            found = wait_for(lambda id=id: ended(client, id), 90, what=f"the end of {id}")
            assert found["status"] == "Completed", found["error"]
            assert text(client, id) == WHOLE
        assert len(accepted) == 1
