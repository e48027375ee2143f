"""A real notebook kernel, spoken to as a notebook does."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.fixtures.place import Place


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


@contextlib.contextmanager
def kernel_beside(place: Place) -> Iterator[Notebook]:
    """A kernel in `place` that no server of ours has started, with the magics loaded."""
    manager = KernelManager(kernel_name="python3")
    manager.connection_file = str(place.jupyter_runtime / "kernel-beside.json")
    manager.start_kernel(env=place.environ(), cwd=str(place.folder), stdout=subprocess.DEVNULL)
    client = connect(manager.connection_file)
    try:
        made = Notebook(manager, client)
        made.run("%load_ext jupyter_mlws")
        yield made
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
