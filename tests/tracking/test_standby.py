"""MLflow's address answers whether or not its server runs: it is stopped when idle, and woken by who asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.address import ServerRecord, TrackingAddress, read_record
from jupyter_mlws.tracking.server import TrackingServer
from jupyter_mlws.tracking.standby import Standby

SEARCH = "/api/2.0/mlflow/experiments/search"
LOGGING = """
import mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("m", 7)
print(mlflow.get_run(run.info.run_id).data.metrics["m"])
"""


class Leader:
    """The part of a leading Jupyter server that stands by, as its reconcile loop calls it."""

    def __init__(self, server: TrackingServer) -> None:
        self.server = server
        self._standby = Standby(server)
        self._stepping: asyncio.Task[None] | None = None

    async def lead(self) -> None:
        await self._standby.take_over(1)
        self._stepping = asyncio.create_task(self._step_on())

    async def let_go(self) -> None:
        if self._stepping is not None:
            self._stepping.cancel()
            await asyncio.gather(self._stepping, return_exceptions=True)
        await self._standby.let_go()

    async def _step_on(self) -> None:
        while True:
            await self._standby.step(frozenset())
            await asyncio.sleep(0.1)


Lead = Callable[..., Awaitable[Leader]]


@pytest.fixture
async def lead(place: Any, wait_until: Any) -> AsyncIterator[Lead]:
    """`await lead(idle=1)`: a leader at whose address somebody is heard; all is ended at the end."""
    made: list[Leader] = []

    async def begin(*, idle: float = 1.0) -> Leader:
        runtime = place.runtime / "t"
        leader = Leader(TrackingServer(Layout(place.workspace), runtime=runtime, rest=0, idle=idle))
        made.append(leader)
        await leader.lead()
        await wait_until(lambda: running(place) or leader.server.sockets.now, what="the address")
        return leader

    yield begin
    for leader in made:
        await leader.let_go()
        await leader.server.stop()


def record(place: Any) -> ServerRecord:
    found = read_record(place.workspace / "mlflow" / "server.json")
    assert found is not None
    return found


def running(place: Any) -> int | None:
    """The pid of MLflow's server, None while there is none."""
    found = read_record(place.workspace / "mlflow" / "server.json")
    process = None if found is None else found.process
    return None if process is None else process.pid


async def ask(address: TrackingAddress) -> int:
    headers = {"Authorization": f"Bearer {address.token}"}
    async with httpx.AsyncClient(base_url=address.url, headers=headers, timeout=60) as client:
        return (await client.post(SEARCH, json={"max_results": 1})).status_code


async def ask_by_socket(address: TrackingAddress) -> int:
    transport = httpx.AsyncHTTPTransport(uds=str(address.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        return (await client.post(SEARCH, json={"max_results": 1})).status_code


async def log_as_a_client(address: TrackingAddress) -> str:
    """Log by MLflow's own client in a process of its own; return what it reads back."""
    given = {"MLFLOW_TRACKING_URI": address.url, "MLFLOW_TRACKING_TOKEN": address.token}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", LOGGING],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(done.stdout).splitlines()[-1]


async def test_who_connects_while_it_is_stopped_is_answered(lead: Lead, place: Any, wait_until: Any) -> None:
    leader = await lead()
    assert running(place) is None
    state = leader.server.state()
    assert (state.status, state.url) == ("stopped", record(place).address.url)
    address = record(place).address
    assert await log_as_a_client(address) == "7.0"
    first = running(place)
    await wait_until(lambda: running(place) is None, 60, what="the end for want of work")
    assert leader.server.state().status == "stopped"
    assert await ask_by_socket(address) == 200
    assert running(place) not in (None, first)
    assert record(place).address == address
    assert leader.server.state().status == "ready"


async def test_no_connection_is_lost_over_many_ends(lead: Lead, place: Any, wait_until: Any) -> None:
    """Clients knock all the time, at the moments at which it ends too; each is answered."""
    await lead(idle=0.2)
    address = record(place).address
    pids: set[int | None] = set()
    pause = 1.0
    while len(pids) < 4:
        assert {await ask(address), await ask_by_socket(address)} == {200}
        pids.add(running(place))
        pause = 1.0 if pause > 1.9 else pause + 0.17
        await asyncio.sleep(pause)


async def test_many_at_once_share_one_start(lead: Lead, place: Any) -> None:
    await lead(idle=300)
    address = record(place).address
    asked = [each(address) for each in (ask, ask_by_socket) for _ in range(10)]
    assert set(await asyncio.gather(*asked)) == {200}
    log = (place.workspace / "mlflow" / "server.log").read_text()
    assert log.count("Started server process") == 1


async def test_killed_it_is_woken_again(lead: Lead, place: Any, wait_until: Any) -> None:
    await lead(idle=300)
    address = record(place).address
    assert await ask(address) == 200
    first = running(place)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    # Nobody is refused meanwhile: the leader has had the sockets since it started the server.
    assert await ask(address) == 200
    assert running(place) not in (None, first)
    assert record(place).address == address


async def test_not_while_a_request_is_answered(lead: Lead, place: Any) -> None:
    leader = await lead(idle=1.0)
    address = await leader.server.ensure()
    first = running(place)

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x"
            await asyncio.sleep(0.1)

    headers = {"Authorization": f"Bearer {address.token}"}
    async with httpx.AsyncClient(base_url=address.url, headers=headers, timeout=60) as client:
        path = "/api/2.0/mlflow-artifacts/artifacts/slow.txt"
        assert (await client.put(path, content=slowly())).status_code == 200
    assert running(place) == first


async def test_not_while_a_job_has_something_to_ship(lead: Lead, place: Any, wait_until: Any) -> None:
    leader = await lead(idle=0.1)
    note = leader.server.unshipped / "j1-1"
    note.parent.mkdir(parents=True)
    note.touch()
    await leader.server.ensure()
    first = running(place)
    process = psutil.Process(first)
    before = sum(process.cpu_times()[:2])
    # It looks once a second: when it has worked on, it has looked.
    await wait_until(lambda: sum(process.cpu_times()[:2]) > before + 0.05, 60, what="a few looks")
    assert running(place) == first
    note.unlink()
    await wait_until(lambda: running(place) is None, 60, what="the end for want of work")


async def test_the_next_leader_takes_the_address_over(lead: Lead, place: Any, wait_until: Any) -> None:
    first = await lead()
    address = record(place).address
    await first.let_go()
    with pytest.raises(httpx.ConnectError):
        await ask(address)
    await lead()
    assert record(place).address == address
    assert await ask(address) == 200


async def test_a_leader_that_adopts_it_is_given_the_sockets(lead: Lead, place: Any, wait_until: Any) -> None:
    first = await lead(idle=3.0)
    address = await first.server.ensure()
    await first.let_go()
    second = await lead()
    assert second.server.sockets.now is None
    await wait_until(lambda: running(place) is None, 60, what="the end for want of work")
    assert second.server.sockets.now is not None
    assert await ask(address) == 200


async def test_without_a_leader_it_ends_too(lead: Lead, place: Any, wait_until: Any) -> None:
    leader = await lead(idle=1.0)
    await leader.server.ensure()
    await leader.let_go()
    await wait_until(lambda: running(place) is None, 60, what="the end for want of work")


async def test_a_follower_starts_it_at_the_address_that_the_leader_keeps(lead: Lead, place: Any) -> None:
    await lead(idle=300)
    address = record(place).address
    follower = TrackingServer(Layout(place.workspace), runtime=place.runtime / "t", rest=0)
    assert await follower.ensure() == address
    assert await ask(address) == 200
    log = (place.workspace / "mlflow" / "server.log").read_text()
    assert log.count("Started server process") == 1


async def test_the_path_of_the_socket_was_tidied_away(lead: Lead, place: Any) -> None:
    leader = await lead(idle=300)
    address = record(place).address
    address.socket.unlink()
    assert await leader.server.ensure() == address
    assert await ask_by_socket(address) == 200


async def test_who_asks_for_what_cannot_start_is_not_left_waiting(lead: Lead, place: Any) -> None:
    leader = await lead(idle=300)
    address = record(place).address
    database = place.workspace / "mlflow" / "mlflow.db"
    database.write_bytes(b"this is no database, but long enough to be looked at" * 20)
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            await ask(address)
    assert leader.server.state().status == "failed"
    database.unlink()
    with contextlib.suppress(httpx.TransportError):
        await ask(address)
    assert await ask(address) == 200
