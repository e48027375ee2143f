"""The life of MLflow's server: started, adopted, killed, moved, broken. Each with real processes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlws.processes.identity import process_start
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import ServerRecord, read_record, write_record
from jupyter_mlws.tracking.identity import identify
from jupyter_mlws.tracking.mlflow_database import is_due
from jupyter_mlws.tracking.recording import RunRecord
from jupyter_mlws.tracking.server import TrackingAddress, TrackingFailed, TrackingServer
from tests.mlflow_runs import Runs
from tests.tracking.conftest import JobRun, Live, begin, ship_all

Make = Callable[..., TrackingServer]
_NO_DATABASE = b"this is no database, but long enough to be looked at" * 20


@pytest.fixture
async def make(place: Any) -> AsyncIterator[Make]:
    """`make(root)`: another `TrackingServer` object for the workspace; the server is stopped at the end."""
    made = []

    def a_server(root: Path | None = None, *, runtime: str = "t", **options: Any) -> TrackingServer:
        layout = Layout(root or place.workspace)
        server = TrackingServer(layout, runtime=place.runtime / runtime, **{"rest": 0, **options})
        made.append(server)
        return server

    yield a_server
    for server in made:
        await server.stop()


def record(place: Any) -> ServerRecord:
    found = read_record(place.workspace / "mlflow" / "server.json")
    assert found is not None
    return found


def pid(place: Any) -> int:
    found = record(place).pid
    assert found is not None
    return found


async def kill(server_pid: int, wait_until: Any) -> None:
    os.kill(server_pid, signal.SIGKILL)
    await wait_until(lambda: _is_gone(server_pid), what="the server's end")


def _is_gone(server_pid: int) -> bool:
    try:
        return psutil.Process(server_pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _can_bind(stranger: socket.socket, port: int) -> bool:
    try:
        stranger.bind(("127.0.0.1", port))
    except OSError:
        return False  # threads of the killed server still hold it
    return True


async def status(address: TrackingAddress) -> int:
    headers = {"Authorization": f"Bearer {address.token}"}
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{address.url}/version", headers=headers)).status_code


async def test_it_starts_as_one_process_of_its_own_session(make: Make, place: Any) -> None:
    server = make()
    assert server.state().status == "stopped"
    starting = asyncio.create_task(server.ensure())
    await asyncio.sleep(0)
    assert server.state().status == "starting"
    address = await starting
    state = server.state()
    assert (state.status, state.url, state.ui) == ("ready", address.url, "mlws/mlflow/")
    process = psutil.Process(pid(place))
    assert os.getsid(process.pid) == process.pid
    assert process.children() == []
    assert process_start(process.pid) == record(place).process_started
    assert not list(place.folder.iterdir())  # no `mlruns` where the Jupyter server runs
    await server.stop()
    assert server.state().status == "stopped"
    assert _is_gone(process.pid)


async def values_of(server: TrackingServer, job: JobRun) -> dict[str, float | None]:
    runs = Runs(server.ensure)
    try:
        return (await runs.values(job.run_id)).metrics
    finally:
        await runs.close()


def log(job: JobRun, **metrics: float) -> None:
    rows = [{"key": key, "value": value, "timestamp": 1, "step": 0} for key, value in metrics.items()]
    with (job.folder / "records.jsonl").open("a") as stream:
        stream.write(json.dumps({"run": job.run_id, "metrics": rows}) + "\n")


async def test_killed_it_comes_back_at_the_same_address(make: Make, place: Any, wait_until: Any) -> None:
    server = make()
    address = await server.ensure()
    live = Live(place.workspace, server, address)
    job = begin(live)
    ship_all(live, job)
    first = pid(place)
    await kill(first, wait_until)
    log(job, m=1.0)
    assert await server.ensure() == address
    ship_all(live, job)
    assert await values_of(server, job) == {"m": 1.0}
    assert pid(place) != first
    assert server.state().status == "ready"


async def test_its_address_is_known_before_it_runs(make: Make, place: Any) -> None:
    server = make()
    reserved = await asyncio.gather(*(asyncio.to_thread(make().reserve) for _ in range(5)))
    assert set(reserved) == {server.reserve()}
    assert record(place).pid is None
    assert await server.ensure() == reserved[0]
    assert server.reserve() == reserved[0]


ENSURE = """
import asyncio, sys
from pathlib import Path
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.server import TrackingServer
server = TrackingServer(Layout(Path(sys.argv[1])), runtime=Path(sys.argv[2]))
address = asyncio.run(server.ensure())
print(address.url, address.token, "mlflow" in sys.modules)
"""


async def test_two_processes_start_one_server_that_is_adopted_after_them(make: Make, place: Any) -> None:
    command = [sys.executable, "-c", ENSURE, str(place.workspace), str(place.runtime / "t")]
    starters = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        for _ in range(2)
    ]
    answers = [(await asyncio.to_thread(starter.communicate))[0].split() for starter in starters]
    assert answers[0] == answers[1]
    assert answers[0][2] == "False"  # the Jupyter server never imports mlflow
    address = await make().ensure()
    assert [address.url, address.token] == answers[0][:2]
    log = (place.workspace / "mlflow" / "server.log").read_text()
    assert log.count("Started server process") == 1


async def test_a_starter_that_is_killed_leaves_a_server_that_is_adopted(
    make: Make, place: Any, wait_until: Any
) -> None:
    command = [sys.executable, "-c", ENSURE, str(place.workspace), str(place.runtime / "t")]
    starter = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
    path = place.workspace / "mlflow" / "server.json"
    await wait_until(lambda: (found := read_record(path)) and found.pid, what="its pid")
    starter.kill()
    starter.wait()
    first = pid(place)
    await make().ensure()
    assert pid(place) == first


async def test_calls_at_the_same_time_share_one_start(make: Make, place: Any) -> None:
    server = make()
    cancelled = asyncio.create_task(server.ensure())
    addresses = asyncio.gather(*(server.ensure() for _ in range(5)))
    await asyncio.sleep(0.2)
    cancelled.cancel()
    assert len(set(await addresses)) == 1


async def test_a_foreign_pid_in_the_file_is_left_alone(make: Make, place: Any) -> None:
    """The machine was restarted, and the pid is another's now."""
    other = subprocess.Popen(["sleep", "1000"], cwd="/")  # noqa: ASYNC220
    try:
        folder = place.workspace / "mlflow"
        folder.mkdir(parents=True)
        stale = ServerRecord(pid=other.pid, process_started=1.0, port=1, token="t" * 32, socket="/none")
        for started in (1.0, process_start(other.pid)):
            write_record(folder / "server.json", stale.model_copy(update={"process_started": started}))
            server = make()
            assert await status(await server.ensure()) == 200
            await server.stop()
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff"])
def test_a_broken_server_json_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "server.json").write_bytes(content)
    assert read_record(tmp_path / "server.json") is None


async def test_a_server_that_does_not_answer_is_replaced(make: Make, place: Any) -> None:
    address = await make().ensure()
    first = pid(place)
    address.socket.unlink()
    server = make()
    assert await server.ensure() == address
    assert pid(place) != first
    assert _is_gone(first)


async def test_the_port_is_taken_meanwhile(make: Make, place: Any, wait_until: Any) -> None:
    """A stranger listens there now: neither is it taken for ours, nor does it see our token."""
    server = make()
    address = await server.ensure()
    await kill(pid(place), wait_until)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = int(address.url.rpartition(":")[2])
        await wait_until(lambda: _can_bind(stranger, port), what="the port")
        stranger.listen()
        other = await server.ensure()
        assert other.url != address.url
        assert other.token != address.token
        assert await status(other) == 200


async def test_runs_and_artifacts_move_with_the_workspace(make: Make, place: Any, tmp_path: Path) -> None:
    server = make()
    old = await server.ensure()
    live = Live(place.workspace, server, old)
    job = begin(live, experiment="Moved")
    log(job, m=1.0)
    with RunRecord(job.folder, job.identity) as written:
        written.cell("x = 1")
    ship_all(live, job)
    first = pid(place)
    moved = tmp_path / "moved elsewhere"
    shutil.copytree(place.workspace, moved)
    shutil.rmtree(place.workspace)
    # The server of the old place still runs, without its files.
    server = make(moved)
    address = await server.ensure()
    assert _is_gone(first)
    assert address == old
    assert await values_of(server, job) == {"m": 1.0}
    headers = {"Authorization": f"Bearer {address.token}"}
    async with httpx.AsyncClient(base_url=address.url, headers=headers) as client:
        answer = await client.get("/get-artifact", params={"run_id": job.run_id, "path": "code/cell.py"})
    assert answer.text == "x = 1"


async def test_a_workspace_renamed_under_a_running_server_keeps_it(make: Make, place: Any) -> None:
    address = await make().ensure()
    first = pid(place)
    renamed = place.workspace.with_name("renamed")
    place.workspace.rename(renamed)
    server = make(renamed)
    assert await server.ensure() == address
    assert json.loads((renamed / "mlflow" / "server.json").read_text())["pid"] == first
    live = Live(renamed, server, address)
    job = begin(live)
    with RunRecord(job.folder, job.identity) as written:
        written.artifact("a.txt", b"a")
    ship_all(live, job)
    assert (server.artifacts / job.identity.artifact_root / "a.txt").is_file()


async def test_a_copied_workspace_gets_a_server_of_its_own(make: Make, place: Any, tmp_path: Path) -> None:
    first = await make().ensure()
    copy = tmp_path / "copy"
    shutil.copytree(place.workspace, copy)
    second = await make(copy, runtime="u").ensure()
    assert second.url != first.url
    assert second.token != first.token
    assert await status(first) == await status(second) == 200


async def test_a_database_that_is_none(make: Make, place: Any) -> None:
    folder = place.workspace / "mlflow"
    folder.mkdir(parents=True)
    (folder / "mlflow.db").write_bytes(_NO_DATABASE)
    server = make()
    with pytest.raises(TrackingFailed, match=r"mlflow\.db cannot be used: file is not a database") as caught:
        await server.ensure()
    assert "server.log" in str(caught.value.hint)
    state = server.state()
    assert state.status == "failed"
    assert "mlflow.db" in str(state.error)
    (folder / "mlflow.db").unlink()
    await server.ensure()
    assert server.state().status == "ready"


async def test_a_failed_start_is_not_tried_again_at_once(make: Make, place: Any) -> None:
    folder = place.workspace / "mlflow"
    folder.mkdir(parents=True)
    (folder / "mlflow.db").write_bytes(_NO_DATABASE)
    server = make(rest=1000)
    for _ in range(3):
        with pytest.raises(TrackingFailed):
            await server.ensure()
    assert (folder / "server.log").read_text().count("cannot be used") == 1


async def test_a_database_of_an_older_mlflow_is_migrated_and_backed_up(make: Make, place: Any) -> None:
    folder = place.workspace / "mlflow"
    folder.mkdir(parents=True)
    older = (
        "import sqlalchemy\n"
        "from alembic import command\n"
        "from mlflow.store.db import utils\n"
        "from mlflow.store.tracking.dbmodels.initial_models import Base\n"
        "engine = sqlalchemy.create_engine('sqlite:///mlflow.db')\n"
        "Base.metadata.create_all(engine)\n"
        "config = utils._get_alembic_config('sqlite:///mlflow.db')\n"
        "command.upgrade(config, 'bd07f7e963c5')\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", older], cwd=folder, check=True)
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage, artifact_location) "
            "VALUES (7, 'Old', 'active', 'mlflow-artifacts:/7')"
        )
    server = make()
    await server.ensure()
    old = identify(server.database, job="a", attempt=1, experiment="Old")
    assert (old.experiment_id, old.location) == ("7", "mlflow-artifacts:/7")
    assert len(list(folder.glob("mlflow.db.before-*"))) == 1


async def test_a_database_of_a_newer_mlflow_is_refused(make: Make, place: Any) -> None:
    folder = place.workspace / "mlflow"
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "mlflow.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("CREATE TABLE runs (run_uuid TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('from_the_future')")
    with pytest.raises(TrackingFailed, match="newer MLflow"):
        await make().ensure()


async def test_mlflow_is_missing(
    make: Make, place: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.py").write_text("raise ModuleNotFoundError(\"No module named 'mlflow'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(TrackingFailed, match=r"cannot be imported by .*python.*: No module named 'mlflow'"):
        await make().ensure()


async def test_there_is_no_such_python(make: Make, tmp_path: Path) -> None:
    with pytest.raises(TrackingFailed, match="gone/python"):
        await make(python=str(tmp_path / "gone" / "python")).ensure()


async def test_the_folder_cannot_be_written(make: Make, place: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrackingFailed, match="cannot be made"):
        await make(tmp_path / "file").ensure()


async def test_a_socket_path_that_is_too_long(make: Make) -> None:
    with pytest.raises(TrackingFailed, match="XDG_RUNTIME_DIR"):
        await make(runtime="x" * 120).ensure()


async def test_what_the_user_set_for_clients_does_not_reach_the_server(
    make: Make, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", "true")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    address = await make().ensure()
    headers = {"Authorization": f"Bearer {address.token}", "Host": "evil.example.org"}
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(address.url, headers=headers)).status_code == 403


async def test_the_log_does_not_grow_for_ever(make: Make, place: Any) -> None:
    folder = place.workspace / "mlflow"
    folder.mkdir(parents=True)
    (folder / "server.log").write_bytes(b"x" * (6 * 2**20))
    (folder / "mlflow.db").write_bytes(_NO_DATABASE)
    with pytest.raises(TrackingFailed):
        await make().ensure()
    assert (folder / "server.log").stat().st_size < 2**20
    assert (folder / "server.log.1").stat().st_size == 6 * 2**20


async def test_stopping_what_does_not_run(make: Make, place: Any) -> None:
    server = make()
    await server.stop()
    await server.ensure()
    await server.stop()
    await server.stop()
    assert record(place).pid is None
    assert record(place).port > 0


@pytest.mark.parametrize(
    ("pages", "seconds", "due"),
    [(150, 1, True), (149, 1, False), (101, 3600, True), (100, 1e9, False)],
)
def test_statistics_are_gathered_as_the_database_grows(pages: int, seconds: float, due: bool) -> None:
    assert is_due(pages, analyzed=100, seconds=seconds) is due
