"""Starts and ends the other servers; each has a root folder, a configuration and a token of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.remotes.environment import environment

KINDS = ("server", "gateway", "enterprise")
_SECONDS = 60.0
_INHERITED = ("PATH", "LANG", "LC_ALL")


@dataclass
class Elsewhere:
    """Another Jupyter server, which runs."""

    kind: str
    port: int
    token: str
    root: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def temporary(self) -> Path:
        """Where its kernels keep temporary files."""
        return self.root / "tmp"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Authorization": f"token {self.token}"}, timeout=20)

    def kernels(self) -> list[str]:
        return [each["id"] for each in self.get("/api/kernels").json()]

    def pids(self) -> list[int]:
        """The processes of its kernels."""
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self) -> None:
        """End it and its kernels at once, as when its machine goes."""
        for process in (psutil.Process(self.process.pid), *self._children()):
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        children = self._children()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def _children(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []


def start(kind: str, root: Path, *, arguments: tuple[str, ...] = (), port: int | None = None) -> Elsewhere:
    """Start another server of the kind `kind` in the folder `root`, and wait until it answers."""
    port = port or _free_port()
    token = secrets.token_hex(16)
    if kind == "server":
        made, command = environment("server"), "jupyter-server"
        options = [
            f"--ServerApp.port={port}",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port_retries=0",
            "--no-browser",
            "--allow-root",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root / 'root'}",
        ]
    elif kind == "gateway":
        made, command = environment("server"), "jupyter-kernelgateway"
        options = [
            f"--KernelGatewayApp.port={port}",
            "--KernelGatewayApp.ip=127.0.0.1",
            "--KernelGatewayApp.port_retries=0",
            f"--KernelGatewayApp.auth_token={token}",
            "--JupyterWebsocketPersonality.list_kernels=True",
        ]
    else:
        made, command = environment("enterprise"), "jupyter-enterprisegateway"
        options = [
            f"--EnterpriseGatewayApp.port={port}",
            "--EnterpriseGatewayApp.ip=127.0.0.1",
            "--EnterpriseGatewayApp.port_retries=0",
            f"--EnterpriseGatewayApp.auth_token={token}",
            "--EnterpriseGatewayApp.list_kernels=True",
        ]
    for folder in ("root", "tmp", "home"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    home = str(root / "home")
    environ = {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
        "HOME": home,
        "TMPDIR": str(root / "tmp"),
        "JUPYTER_CONFIG_DIR": f"{home}/config",
        "JUPYTER_DATA_DIR": f"{home}/data",
        "JUPYTER_RUNTIME_DIR": f"{home}/run",
        "IPYTHONDIR": f"{home}/ipython",
        "KERNEL_LAUNCH_TIMEOUT": "60",
    }
    log = root / "log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(made / "bin" / command), *options, *arguments],
            cwd=root / "root",
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Elsewhere(kind, port, token, root, process)
    deadline = time.monotonic() + _SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise AssertionError(f"the {kind} did not start:\n{log.read_text()[-3000:]}")
        with contextlib.suppress(httpx.TransportError):
            if server.get("/api/kernelspecs").status_code == 200:
                return server
        time.sleep(0.05)


@contextlib.contextmanager
def running(kind: str, *, arguments: tuple[str, ...] = ()) -> Iterator[Elsewhere]:
    """Another server in a place of its own, ended with all that it started."""
    root = Path(tempfile.mkdtemp(prefix="mlwsr", dir="/tmp"))
    server = start(kind, root, arguments=arguments)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
