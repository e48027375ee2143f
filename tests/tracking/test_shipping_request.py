"""What is asked of MLflow's server so that it ships spools: whom it answers, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.tracking import flush as inside
from jupyter_mlws.tracking.flush import flush
from jupyter_mlws.tracking.shipper import Shipper
from jupyter_mlws.tracking.shipping_request import PATH, Asked, Told, answer, answered
from jupyter_mlws.tracking.spool import Spool
from jupyter_mlws.tracking.troubles import Unreachable
from tests.tracking.conftest import JobRun, Live, begin, left


def metrics(job: JobRun, *, count: int, start: int = 0) -> None:
    spool = Spool(str(job.folder))
    for step in range(start, start + count):
        row = {"key": "m", "value": step, "timestamp": 1, "step": step}
        spool.append(json.dumps({"run": job.run_id, "metrics": [row]}).encode())
    spool.close()


def ask(live: Live, body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {live.address.token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{live.address.url}{PATH}", headers=headers, content=content, timeout=60)


async def history(live: Live, job: JobRun) -> int:
    address = await live.server.ensure()
    async with httpx.AsyncClient(base_url=address.url, timeout=60) as client:
        answer = await client.get(
            "/api/2.0/mlflow/metrics/get-history",
            params={"run_id": job.run_id, "metric_key": "m", "max_results": 25000},
            headers={"Authorization": f"Bearer {address.token}"},
        )
    return len(answer.json()["metrics"])


def test_what_is_told_comes_over() -> None:
    told = [Told(5, 0, True, metrics={"m": None}, params={"p": "1"}), Told(0, 9, False, trouble="no")]
    assert answered(answer(told)) == told
    asked = Asked([("a", 1), ("b", 2)], wait=True)
    assert Asked.of(asked.to_json()) == asked
    assert inside.PATH == PATH


@pytest.mark.parametrize(
    "attempt",
    [
        {"job": "../../etc", "attempt": 1},
        {"job": "0123456789abc/..", "attempt": 1},
        {"job": "0123456789abc", "attempt": 0},
        {"job": "0123456789abc", "attempt": "1"},
        {"job": "0123456789abc", "attempt": True},
        {"job": ["0123456789abc"], "attempt": 1},
        {"job": "0123456789abc"},
        "/etc",
    ],
)
def test_only_attempts_of_the_workspace_are_shipped(attempt: Any, live: Live) -> None:
    job = begin(live)
    refused = ask(live, {"attempts": [{"job": job.job, "attempt": 1}, attempt]})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert left(job.folder) > 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", {"attempts": 1}, {"attempts": [], "wait": "x"}, b"x" * 2**21]
)
def test_what_is_no_request_is_refused(body: Any, live: Live) -> None:
    assert ask(live, body).status_code == 400


def test_without_the_token_nothing_is_shipped(live: Live) -> None:
    job = begin(live)
    body = {"attempts": [{"job": job.job, "attempt": 1}]}
    assert httpx.post(f"{live.address.url}{PATH}", json=body).status_code == 401
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(live.address.socket))) as by_socket:
        assert by_socket.post(f"http://localhost{PATH}", json=body).json()["attempts"][0]["left"] == 0


def test_an_attempt_without_a_spool_has_nothing_to_ship(live: Live) -> None:
    [told] = ask(live, {"attempts": [{"job": new_id(), "attempt": 3}]}).json()["attempts"]
    assert (told["offset"], told["left"], told["ended"], told["trouble"]) == (0, 0, False, None)


def test_one_request_for_many_spools(live: Live) -> None:
    many = [begin(live) for _ in range(10)]
    told = Shipper().ship(live.address, [(job.job, 1) for job in many])
    assert [each.left for each in told] == [0] * 10


async def test_several_ask_at_once_and_all_is_there_once(live: Live) -> None:
    job = begin(live)
    metrics(job, count=3000)
    with ThreadPoolExecutor(6) as pool:
        loop = asyncio.get_running_loop()
        arguments = {"server": str(live.server.settings), "job": job.job, "attempt": 1}
        flushing = [loop.run_in_executor(pool, lambda: flush(str(job.folder), **arguments)) for _ in range(5)]
        shipping = loop.run_in_executor(pool, lambda: Shipper().ship(live.address, [(job.job, 1)]))
        metrics(job, count=500, start=3000)
        await asyncio.gather(*flushing, shipping)
    flush(str(job.folder), **arguments)
    assert left(job.folder) == 0
    assert await history(live, job) == 3500


def test_a_run_that_is_asked_for_is_there(live: Live) -> None:
    """However early: a process that the job starts knows its id from the environment."""
    job, other = begin(live, params={"depth": 6}), begin(live)
    live.server.unshipped.mkdir(exist_ok=True)
    notes = [live.server.unshipped / name for name in (f"{job.job}-1", "odd", "..-1", f"{new_id()}-x")]
    for note in notes:
        note.touch()
    headers = {"Authorization": f"Bearer {live.address.token}"}
    with httpx.Client(base_url=f"{live.address.url}/api/2.0/mlflow/", headers=headers) as client:
        metric = {"run_id": job.run_id, "key": "m", "value": 1, "timestamp": 1}
        assert client.post("runs/log-metric", json=metric).status_code == 200
        run = client.get("runs/get", params={"run_id": job.run_id}).json()["run"]
        assert client.get("runs/get", params={"run_id": other.run_id}).status_code == 404
    assert run["data"]["params"] == [{"key": "depth", "value": "6"}]
    for note in notes:
        note.unlink()


def test_a_flush_passes_over_a_line_that_is_not_whole(live: Live) -> None:
    job = begin(live)
    with (job.folder / "records.jsonl").open("a") as stream:
        stream.write('{"run":')
    flush(str(job.folder), server=str(live.server.settings), job=job.job, attempt=1)
    assert left(job.folder) == 7


def test_a_flush_says_why_it_cannot(live: Live, free_port: int, tmp_path: Path) -> None:
    job = begin(live)
    (tmp_path / "server.json").write_text(json.dumps({"port": free_port, "token": "x"}))
    with pytest.raises(inside.Unreachable, match="ConnectionRefusedError"):
        flush(str(job.folder), server=str(tmp_path / "server.json"), job=job.job, attempt=1)
    port = int(live.address.url.rpartition(":")[2])
    (tmp_path / "server.json").write_text(json.dumps({"port": port, "token": "wrong"}))
    with pytest.raises(inside.Unreachable, match="MLFLOW_TRACKING_TOKEN"):
        flush(str(job.folder), server=str(tmp_path / "server.json"), job=job.job, attempt=1)


async def test_a_server_that_is_killed_while_it_ships_is_followed_by_another(mortal: Live) -> None:
    from tests.tracking.test_spooling import kill_mlflow

    job = begin(mortal)
    metrics(job, count=20_000)
    shipper = Shipper()
    asking = asyncio.create_task(asyncio.to_thread(shipper.ship, mortal.address, [(job.job, 1)]))
    while not (job.folder / "shipped.json").exists():
        assert not asking.done()
        await asyncio.sleep(0.001)
    kill_mlflow(mortal)
    with pytest.raises(Unreachable):
        await asking
    address = await mortal.server.ensure()
    while (await asyncio.to_thread(shipper.ship, address, [(job.job, 1)]))[0].left > 0:
        pass
    assert await history(mortal, job) == 20_000
    assert not (job.folder / "refused.jsonl").exists()
