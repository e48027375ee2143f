"""The server's start and end: the file that tells of it, quick ends, ends when idle, jobs that go on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from jupyter_mlws.processes.identity import process_start
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout
from tests.fixtures.place import Place

if TYPE_CHECKING:
    from tests.fixtures.servers import StartServer


def headless(place: Place, *options: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    return subprocess.Popen(
        [
            *line,
            f"--ServerApp.root_dir={place.folder}",
            "--ServerApp.jpserver_extensions=jupyter_mlws=True",
            "--MlwsApp.headless=True",
            *options,
        ],
        env={**place.environ(), "JUPYTER_TOKEN": "t"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def test_the_file_that_tells_of_it(start_server: StartServer, wait_for: Any) -> None:
    server = start_server(base_url="/x/")
    (file,) = server.place.runtime.rglob("server-*.json")
    found = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.name == f"server-{server.process.pid}.json"
    assert found["pid"] == server.process.pid
    assert found["process_started"] == process_start(server.process.pid)
    assert (found["url"], found["token"], found["headless"]) == (server.url, server.token, False)
    assert found["workspace"] == str(server.workspace)
    with server.client() as api:
        assert found["workspace_id"] == api.get("/status").json()["workspace"]["id"]
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    assert not file.exists()


def test_kernels_know_where_the_server_is(start_server: StartServer, wait_for: Any) -> None:
    server = start_server()
    kernel = httpx.post(f"{server.url}api/kernels", headers=server.headers, timeout=60).json()["id"]

    def of_kernel() -> dict[str, str] | None:
        for process in psutil.Process(server.process.pid).children(recursive=True):
            if any(kernel in part for part in process.cmdline()):
                return process.environ()
        return None

    environment = wait_for(of_kernel, what=f"the kernel {kernel}")
    assert environment["MLWS_WORKSPACE"] == str(server.workspace)
    assert json.loads(Path(environment["MLWS_RUNTIME_FILE"]).read_text())["url"] == server.url


def test_it_ends_at_once_and_its_jobs_go_on(start_server: StartServer, a_cell: Any, wait_for: Any) -> None:
    server = start_server()
    with server.client() as api:
        job = api.post(
            "/jobs", json=a_cell("import time\nfor i in range(40):\n    print(i)\n    time.sleep(.1)")
        )
        id = job.json()["id"]
        wait_for(lambda: api.get(f"/jobs/{id}").json()["status"] == "Running", 60)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(10)
    again = start_server()
    with again.client() as api:
        wait_for(lambda: api.get(f"/jobs/{id}").json()["status"] == "Completed", 60)
        events = api.get(f"/jobs/{id}/events").json()["events"]
        text = "".join(each["output"].get("text", "") for each in events if each["type"] == "output")
        assert text.split() == [str(number) for number in range(40)]


def test_mlflow_stays_for_the_jobs_that_run_and_ends_with_the_last_server(
    start_server: StartServer, a_cell: Any, wait_for: Any
) -> None:
    server = start_server(arguments=["--MlwsApp.mlflow=True"])
    mark = server.place.root / "go on"
    with server.client() as api:
        assert api.get("/mlflow").json()["status"] == "stopped"
        code = f"import os, time\nwhile not os.path.exists({str(mark)!r}): time.sleep(.05)"
        id = api.post("/jobs", json=a_cell(code)).json()["id"]
        wait_for(lambda: api.get(f"/jobs/{id}").json()["status"] == "Running", 60)
        wait_for(lambda: api.get("/mlflow").json()["status"] == "ready", 90)
    mlflow = psutil.Process(json.loads((server.workspace / "mlflow" / "server.json").read_text())["pid"])
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    assert mlflow.is_running()

    again = start_server(arguments=["--MlwsApp.mlflow=True"])
    mark.touch()
    with again.client() as api:
        wait_for(lambda: api.get(f"/jobs/{id}").json()["status"] == "Completed", 60)
        assert mlflow.is_running()
    again.process.send_signal(signal.SIGTERM)
    again.process.wait(20)
    wait_for(lambda: not mlflow.is_running(), 30)


def test_a_headless_server_ends_when_idle(place: Place, wait_for: Any) -> None:
    process = headless(place, "--MlwsApp.idle_minutes=0.05")
    try:
        (file,) = wait_for(lambda: list(place.runtime.rglob(f"server-{process.pid}.json")))
        found = json.loads(file.read_text())
        assert found["headless"] is True
        with httpx.Client(base_url=f"{found['url']}mlws/api/v1", headers={"Authorization": "token t"}) as api:
            assert api.get("/status").json()["headless"] is True
            job = {"kind": "cell", "name": "long", "code": "import time; time.sleep(6)"}
            id = api.post("/jobs", json=job).json()["id"]
            wait_for(lambda: api.get(f"/jobs/{id}").json()["status"] == "Running", 60)
        begun = time.monotonic()
        process.wait(60)
        # Nobody asked for it meanwhile, and it stayed until the job had ended.
        assert time.monotonic() - begun > 4
        assert not file.exists()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a file", "{} cannot be a workspace: it is a file, or lies below one. "),
        ("foreign", "{} is not a workspace, and not an empty folder that could become one. "),
        ("damaged", "The workspace cannot be opened: "),
    ],
)
def test_a_headless_server_that_cannot_open_its_workspace_says_why(
    place: Place, what: str, said: str
) -> None:
    if what == "a file":
        place.workspace.write_text("")
    elif what == "foreign":
        place.workspace.mkdir()
        (place.workspace / "foreign.txt").write_text("not a workspace")
    else:
        workspaces.open(Layout(place.workspace))
        (place.workspace / "jobs").rmdir()
        (place.workspace / "jobs").write_text("no folder")
    process = headless(place)
    try:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        # Another extension's thread may log after it.
        begin = said.format(place.workspace)
        (line,) = [line for line in errors.decode().splitlines() if line.startswith(begin)]
        assert str(place.workspace) in line
        assert line.count("The workspace") <= 1, "it is said once"
    finally:
        process.kill()
