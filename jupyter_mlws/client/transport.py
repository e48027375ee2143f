"""The way to a server: speaks JSON with it, turns its errors into ours, finds it again after a restart."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from jupyter_mlws.client.discovery import Address
from jupyter_mlws.client.failures import ConnectionClosed, broke, check, other_version, unreachable
from jupyter_mlws.client.finder import Finder
from jupyter_mlws.client.lines import Lines
from jupyter_mlws.model.record import Record

R = TypeVar("R", bound=Record)
Query = Mapping[str, str | int | float | bool | list[str] | None]

_PREFIX = "/mlws/api/v1"
_CHUNK = 1 << 20
_GRACE_BEFORE_START = 15.0
_LONGEST_PAUSE = 2.0


class Door:
    """One server's REST interface. Requests that find it gone look for it again, once."""

    def __init__(self, finder: Finder, *, say: Callable[[str], None]) -> None:
        self.finder = finder
        self.say = say
        self.server_version: str | None = None
        self._address: Address | None = None
        self._lines: Lines | None = None
        self._former: list[Lines] = []

    @property
    def address(self) -> Address:
        """Where the server was last found. Raises `ConnectionClosed` before `open`."""
        if self._address is None:
            raise ConnectionClosed
        return self._address

    async def open(self) -> None:
        """Find the server, starting one if need be. Raises what `Finder.find` raises."""
        await self._use(await self.finder.find(say=self.say))

    async def close(self) -> None:
        """Let go of the connections."""
        every = [*self._former, *([self._lines] if self._lines else [])]
        self._former, self._lines, self._address = [], None, None
        for lines in every:
            await lines.close()

    async def _use(self, address: Address) -> bool:
        """Speak to `address` from now on; return whether it is another than before."""
        if address == self._address and self._lines is not None:
            return False
        if self._lines is not None:
            # Another task may be in the middle of a request; what it hears is the end of its own connection.
            self._former.append(self._lines)
        self._lines = Lines(
            address.url + _PREFIX,
            headers={"Authorization": f"token {address.token}"} if address.token else {},
            near=is_loopback(address.url),
        )
        self._address = address
        return True

    async def get(self, path: str, kind: type[R], *, query: Query | None = None, again: bool = True) -> R:
        """Return the record of type `kind` at `path`. Raises the server's error.

        With `again` false a server that is gone is not looked for: the caller waits for it.
        """
        response = await self._answer("GET", path, query=query, again=again)
        return self.read(response.content, kind)

    async def send(self, method: str, path: str, kind: type[R], *, body: Record | None = None) -> R:
        """Send the record `body`; return the answer as a `kind`. Raises the server's error."""
        return self.read((await self._answer(method, path, body=body)).content, kind)

    async def json(
        self, method: str, path: str, *, query: Query | None = None, body: object = None
    ) -> object:
        """Return the answer's JSON as it is; None for an empty answer. Raises the server's error."""
        response = await self._answer(method, path, query=query, body=body)
        return response.json() if response.content else None

    async def text(self, path: str) -> str:
        """Return the answer's body as text. Raises the server's error."""
        return (await self._answer("GET", path)).text

    async def octets(self, path: str) -> bytes:
        """Return the answer's body. Raises the server's error."""
        return (await self._answer("GET", path)).content

    async def exists(self, path: str) -> bool:
        """Return whether there is something at `path`."""
        response = await self._request("HEAD", path)
        if response.status_code == 404:
            return False
        check(response, where=self.address)
        return True

    async def upload(
        self, path: str, source: IO[bytes], size: int, *, progress: Callable[[int], None] | None = None
    ) -> None:
        """PUT `size` bytes of `source`, a piece at a time; `progress` is told how many have gone."""

        async def pieces() -> AsyncIterator[bytes]:
            source.seek(0)
            gone = 0
            while piece := source.read(_CHUNK):
                yield piece
                gone += len(piece)
                if progress is not None:
                    progress(gone)

        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        for last in (False, True):
            try:
                with self._line() as line:
                    response = await line.put(path, content=pieces(), headers=headers)
            except httpx.TransportError as error:
                if last:
                    raise unreachable(error, where=self.address) from error
                await self.open()
            else:
                check(response, where=self.address)
                return

    async def download(self, path: str, target: Path) -> None:
        """Write the bytes at `path` to the file `target`. Raises the server's error."""
        for last in (False, True):
            try:
                with self._line() as line:
                    async with line.stream("GET", path) as response:
                        if response.is_error:
                            await response.aread()
                            check(response, where=self.address)
                        with target.open("wb") as sink:
                            async for piece in response.aiter_bytes(_CHUNK):
                                sink.write(piece)
                return
            except httpx.TransportError as error:
                if last:
                    raise unreachable(error, where=self.address) from error
                await self.open()

    async def shutdown(self) -> None:
        """End the server by Jupyter's own REST. Raises `ServerUnreachable` and `TokenRefused`."""
        try:
            with self._line() as line:
                check(await line.post(f"{self.address.url}/api/shutdown"), where=self.address)
        except httpx.TransportError as error:
            raise unreachable(error, where=self.address) from error

    async def wait_until_back(self) -> None:
        """Wait until a server of the workspace answers again, however long that takes.

        The runtime files are read again at each try; after a while without any server a headless one is
        started, unless the address was given by hand. Raises what the server refuses for good.
        """
        began = time.monotonic()
        pause = 0.2
        self.say("The server does not answer; the job itself goes on. Waiting for the server.")
        while True:
            await asyncio.sleep(pause)
            patient = time.monotonic() - began < _GRACE_BEFORE_START
            address = self.finder.look()
            if address is None and self.finder.start and not patient:
                address = await self.finder.find(say=self.say)
            if address is not None and await self._answers(address):
                break
            pause = min(_LONGEST_PAUSE, pause * 1.5)
        self.say(f"The server is back at {address.url}.")

    async def _answers(self, address: Address) -> bool:
        await self._use(address)
        try:
            with self._line() as line:
                response = await line.get("/status", timeout=5.0)
        except httpx.TransportError:
            return False
        if response.status_code in (401, 403, 404) and self.finder.is_fixed:
            check(response, where=self.address)
        return response.is_success

    def _line(self) -> AbstractContextManager[httpx.AsyncClient]:
        if self._lines is None:
            raise ConnectionClosed
        return self._lines.line()

    async def _answer(
        self, method: str, path: str, *, query: Query | None = None, body: object = None, again: bool = True
    ) -> httpx.Response:
        response = await self._request(method, path, query=query, body=body, again=again)
        check(response, where=self.address)
        return response

    async def _request(
        self, method: str, path: str, *, query: Query | None = None, body: object = None, again: bool = True
    ) -> httpx.Response:
        """Send a request; when nobody answers, or the token is stale, find the server and repeat it once."""
        try:
            response = await self._once(method, path, query, body)
        except httpx.TransportError as error:
            # A POST is repeated only where it cannot have arrived.
            if method == "POST" and not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise broke(error, where=self.address) from error
            if not again or self.finder.is_fixed:
                raise unreachable(error, where=self.address) from error
            await self.open()
        else:
            if response.status_code not in (401, 403) or self.finder.is_fixed:
                return response
            found = self.finder.look()
            if found is None or not await self._use(found):
                return response
        try:
            return await self._once(method, path, query, body)
        except httpx.TransportError as error:
            raise unreachable(error, where=self.address) from error

    async def _once(self, method: str, path: str, query: Query | None, body: object) -> httpx.Response:
        params = {key: value for key, value in (query or {}).items() if value is not None}
        content: str | None = None
        headers: dict[str, str] = {}
        if body is not None:
            content = body.model_dump_json() if isinstance(body, Record) else json.dumps(body)
            headers["Content-Type"] = "application/json"
        with self._line() as line:
            return await line.request(method, path, params=params, content=content, headers=headers)

    def read(self, answer: bytes | object, kind: type[R]) -> R:
        """Return an answer (its bytes, or the JSON in them) as a `kind`. Raises `OtherVersion`."""
        try:
            if isinstance(answer, bytes):
                return kind.model_validate_json(answer)
            return kind.model_validate(answer)
        except ValidationError as error:
            raise other_version(error, where=self.address, version=self.server_version) from error


def segment(text: str) -> str:
    """Return `text` as one segment of a path, whatever it holds."""
    return quote(text, safe="")


def is_loopback(url: str) -> bool:
    """Return whether `url` leads to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
