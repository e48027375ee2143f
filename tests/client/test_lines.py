"""As many connections as there are requests, and no more."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from jupyter_mlws.client.lines import Lines


class Holder:
    """A web server that answers when it may, and counts who is connected. It says no more than a line."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.connections = 0
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while await self._request(reader):
            self.asked += 1
            await self.may_answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bool:
        try:
            return bool(await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return False


@pytest.fixture
async def holder() -> AsyncIterator[tuple[Holder, Lines]]:
    holder = Holder()
    server = await asyncio.start_server(holder.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    lines = Lines(f"http://127.0.0.1:{port}", headers={}, near=True)
    yield holder, lines
    holder.may_answer.set()
    await lines.close()
    server.close()


async def ask(lines: Lines) -> str:
    with lines.line() as line:
        return (await line.get("/")).text


async def test_one_after_another_goes_by_one_connection(holder) -> None:
    server, lines = holder
    server.may_answer.set()
    assert [await ask(lines) for _ in range(20)] == ["ok"] * 20
    assert server.connections == 1


async def test_however_many_are_held_all_are_asked(holder, wait_until) -> None:
    server, lines = holder
    asking = [asyncio.create_task(ask(lines)) for _ in range(250)]
    await wait_until(lambda: server.asked == 250)
    server.may_answer.set()
    assert await asyncio.gather(*asking) == ["ok"] * 250
    assert await asyncio.gather(*(ask(lines) for _ in range(250))) == ["ok"] * 250
    assert server.connections == 250


async def test_one_that_is_called_off_makes_room(holder, wait_until) -> None:
    server, lines = holder
    asking = [asyncio.create_task(ask(lines)) for _ in range(20)]
    await wait_until(lambda: server.asked == 20)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    server.may_answer.set()
    assert await ask(lines) == "ok"
