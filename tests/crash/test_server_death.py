"""Real processes are killed with -9; whatever was accepted ends in its true state with its whole output."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crash.asking import ended, text

LINES = 400
COUNTING = f"""
import time
from pathlib import Path
print("begun", flush=True)
Path("effects").open("a").write("x")
while not Path("go").exists(): time.sleep(0.02)
for number in range({LINES}): print("line", number)
"""


def submit(client: httpx.Client, folder: Path, code: str, **fields: Any) -> str:
    spec = {
        "kind": "cell",
        "name": "counting",
        "code": code,
        "folder": str(folder),
        "kernel": {"executable": sys.executable},
        **fields,
    }
    answer = client.post("/jobs", json=spec)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_job_goes_on_while_the_server_is_dead(start_server: Any, wait_for: Any) -> None:
    server = start_server()
    folder = server.place.folder
    with server.client() as client:
        id = submit(client, folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
    server.kill()
    (folder / "go").touch()
    log = server.workspace / "jobs" / id / "attempts" / "1" / "events.jsonl"
    wait_for(lambda: b'"status":"Completed"' in log.read_bytes(), 60, what="the end in the worker's log")
    with start_server().client() as client:
        job = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert job["status"] == "Completed", job["error"]
        assert job["attempt"] == 1
        assert text(client, id) == "begun\n" + "".join(f"line {n}\n" for n in range(LINES))
        assert job["run_id"] is not None
        assert client.get(f"/jobs/{id}/notebook").status_code == 200
    assert (folder / "effects").read_text() == "x"


def test_a_job_that_still_runs_is_adopted_and_can_be_canceled(start_server: Any, wait_for: Any) -> None:
    server = start_server()
    with server.client() as client:
        id = submit(client, server.place.folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
    server.kill()
    with start_server().client() as client:
        wait_for(lambda: client.get(f"/jobs/{id}").json()["status"] == "Running", 60)
        assert client.post(f"/jobs/{id}/cancel").status_code == 200
        job = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert job["status"] == "Canceled"
        assert text(client, id) == "begun\n"


def test_what_was_accepted_a_moment_before_the_death_runs_once(start_server: Any, wait_for: Any) -> None:
    server = start_server(arguments=["--MlwsApp.cpus=2"])
    folder = server.place.folder
    (folder / "go").touch()
    with server.client() as client:
        ids = [submit(client, folder, COUNTING) for _ in range(5)]
    server.kill()
    with start_server(arguments=["--MlwsApp.cpus=2"]).client() as client:
        for id in ids:
            job = wait_for(lambda id=id: ended(client, id), 150, what=f"the end of {id}")
            assert job["status"] == "Completed", job["error"]
            assert text(client, id).count("line") == LINES
    assert (folder / "effects").read_text() == "x" * 5


def test_a_job_whose_worker_died_with_the_server_says_so(start_server: Any, wait_for: Any) -> None:
    server = start_server()
    with server.client() as client:
        id = submit(client, server.place.folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
        worker = wait_for(lambda: client.get(f"/jobs/{id}/attempts").json()["attempts"][0]["pid"])
    noted = server.workspace / "jobs" / id / "attempts" / "1" / "kernel-folder"
    sockets = Path(noted.read_text())
    server.kill()
    os.kill(worker, signal.SIGKILL)
    assert list(sockets.iterdir())
    with start_server().client() as client:
        job = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert (job["status"], job["error"]["code"]) == ("Failed", "worker_died")
        assert text(client, id) == "begun\n"
    assert not sockets.exists()
    assert (server.place.folder / "effects").read_text() == "x"


def test_the_server_ends_at_once_and_its_jobs_run_on(start_server: Any, wait_for: Any) -> None:
    server = start_server()
    with server.client() as client:
        id = submit(client, server.place.folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
        worker = client.get(f"/jobs/{id}/attempts").json()["attempts"][0]["pid"]
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(30)
    os.kill(worker, 0)  # it is there


@pytest.mark.parametrize("times", [2])
def test_a_server_that_dies_while_it_starts_loses_nothing(
    start_server: Any, wait_for: Any, times: int
) -> None:
    server = start_server()
    folder = server.place.folder
    with server.client() as client:
        id = submit(client, folder, COUNTING)
        wait_for(lambda: "begun" in text(client, id), 90, what="the first output")
    server.kill()
    for _ in range(times):
        following = start_server()
        following.kill()
    (folder / "go").touch()
    with start_server().client() as client:
        job = wait_for(lambda: ended(client, id), 90, what="the end of the job")
        assert job["status"] == "Completed", job["error"]
        assert text(client, id).count("line") == LINES
