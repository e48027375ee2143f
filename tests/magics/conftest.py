"""A real notebook kernel, spoken to as a notebook does."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager


@dataclass
class Ran:
    """What a cell gave."""

    status: str
    error: str = ""
    traceback: str = ""
    stdout: str = ""
    stderr: str = ""
    shown: list[dict] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The texts of everything that was shown."""
        return "\n".join(bundle.get("text/plain", "") for bundle in self.shown)


@dataclass
class Notebook:
    """A kernel with the magics loaded."""

    manager: KernelManager | None
    client: BlockingKernelClient

    def run(self, code: str, *, timeout: float = 120, fails: bool = False) -> Ran:
        """Run a cell to its end."""
        ran = Ran("")

        def hear(message: dict) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    setattr(ran, content["name"], getattr(ran, content["name"]) + content["text"])
                case "display_data" | "execute_result":
                    ran.shown.append(content["data"])
                case "error":
                    ran.error = f"{content['ename']}: {content['evalue']}"
                    ran.traceback = "\n".join(content["traceback"])

        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=hear)
        ran.status = reply["content"]["status"]
        assert (ran.status == "error") is fails, f"{code}\n{ran}"
        return ran

    def complete(self, line: str) -> list[str]:
        """The words that Tab offers at the end of `line`."""
        reply = self.client.complete(line, len(line), reply=True, timeout=60)
        return reply["content"]["matches"]


def connect(connection_file: str) -> BlockingKernelClient:
    """A client of the kernel that is described by `connection_file`."""
    client = BlockingKernelClient(connection_file=connection_file)
    client.load_connection_file()
    client.start_channels()
    deadline = time.monotonic() + 60
    while True:
        try:
            client.wait_for_ready(timeout=60)
        except RuntimeError:
            # It is called dead as long as it only starts, where nobody holds its process.
            if time.monotonic() > deadline:
                raise
        else:
            return client


@pytest.fixture(scope="module")
def notebook(jupyter_server) -> Iterator[Notebook]:
    """A kernel beside the module's server, in the same place, with the magics loaded."""
    manager = KernelManager(kernel_name="python3")
    place = jupyter_server.place
    manager.connection_file = str(place.jupyter_runtime / "kernel-beside.json")
    manager.start_kernel(env=place.environ(), cwd=str(place.folder), stdout=subprocess.DEVNULL)
    client = connect(manager.connection_file)
    made = Notebook(manager, client)
    made.run("%load_ext jupyter_mlws")
    yield made
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def open_notebook(jupyter_server) -> Iterator[Callable[[str, list[str]], Notebook]]:
    """`open_notebook(path, sources)`: a saved notebook with a kernel of the server's, as in a browser."""
    opened = []

    def open_it(path: str, sources: list[str]) -> Notebook:
        place = jupyter_server.place
        file = place.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        cells = [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for n, source in enumerate(sources)
        ]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
        file.write_text(json.dumps(content), encoding="utf-8")
        with httpx.Client(base_url=jupyter_server.url, headers=jupyter_server.headers, timeout=60) as http:
            asked = {"path": path, "name": file.name, "type": "notebook", "kernel": {"name": "python3"}}
            answer = http.post("api/sessions", json=asked)
            answer.raise_for_status()
            kernel_id = answer.json()["kernel"]["id"]
        client = connect(str(place.jupyter_runtime / f"kernel-{kernel_id}.json"))
        opened.append(client)
        return Notebook(None, client)

    yield open_it
    for client in opened:
        client.shutdown()
        client.stop_channels()
