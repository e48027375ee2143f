"""A workspace whose computes are of a small type: a server with a token, and workers of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlws.app import Services, Settings
from jupyter_mlws.compute.builders import Means
from jupyter_mlws.model.compute import Capacity, ComputeCheck, ComputeCreate, ComputeSpec, Guarantees
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.layout import Layout

Open = Callable[..., Awaitable[Services]]


class Nearby:
    """A compute behind a server, whose jobs run on this machine all the same."""

    type = "nearby"
    guarantees = Guarantees(memory_limit=False, kill=True, survives_server=True, live_folder=True)

    def __init__(self, spec: ComputeSpec, means: Means) -> None:
        self.name, self.spec, self.means = spec.name, spec, means
        self.capacity = Capacity(cpus=0, memory=0, slots=spec.slots)
        self.price_per_hour = spec.price_per_hour

    async def check(self) -> ComputeCheck:
        token = self.means.token()
        headers = {"Authorization": f"token {token}"} if token else {}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(self.spec.url, headers=headers, timeout=60)
        if answer.status_code != 200:
            return ComputeCheck(reachable=False, message=f"It does not accept the token {token}.\x1b[31m")
        return ComputeCheck(reachable=True, server=answer.text, kernels=["python3"], latency=0.01)

    async def launch(self, folder: Path) -> ProcessRef:
        return await self.means.launch(folder)

    def environment(self, *, gpus: int, taken: set[int]) -> tuple[dict[str, str], list[int]]:
        return {}, []


@dataclass
class Elsewhere:
    """A server that answers to whoever has its token."""

    url: str
    token: str = "s3cret-of-elsewhere"
    says: str = "Small Server 1.0"
    silent: threading.Event = field(default_factory=threading.Event)
    """While set nobody gets an answer."""
    seen: list[str | None] = field(default_factory=list)
    """The Authorization of each request."""

    def asked(self, **changes: Any) -> ComputeCreate:
        """What makes a compute of it."""
        return ComputeCreate(**{"type": "nearby", "url": self.url, "token": self.token, **changes})


def _serve() -> tuple[ThreadingHTTPServer, Elsewhere]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            made.seen.append(given)
            while made.silent.wait(0.01) and not closing.is_set():
                pass
            right = given == f"token {made.token}"
            body = (made.says if right else "no").encode()
            self.send_response(200 if right else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked has gone
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    closing = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Elsewhere(f"http://127.0.0.1:{server.server_address[1]}")
    server.closing = closing  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, made


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """A small server of another machine, as far as the workspace knows."""
    server, made = _serve()
    yield made
    server.closing.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
def elsewhere_too() -> Iterator[Elsewhere]:
    """A second one."""
    server, made = _serve()
    yield made
    server.closing.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture
async def open_services(place: Any) -> AsyncIterator[Open]:
    """`await open_services()`: another server's services on the test's workspace."""
    opened: list[Services] = []

    async def open(**settings: Any) -> Services:
        workspace = await asyncio.to_thread(workspaces.open, Layout(place.workspace))
        services = await Services.open(
            workspace,
            Settings(mlflow=False, **settings),
            on_change=lambda changes: None,
            builders={"nearby": Nearby},
        )
        opened.append(services)
        return services

    yield open
    for services in opened:
        await services.close()


@pytest.fixture
async def services(open_services: Open) -> Services:
    """The workspace's services."""
    return await open_services()
