"""Starts a server without a browser where none runs, once, however many ask at the same moment."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from jupyter_mlws.client import discovery, places
from jupyter_mlws.model.errors import NotFound, NotReady
from jupyter_mlws.processes.runtime_folder import make_runtime_root, runtime_folder

_LOGS_KEPT = 10
_PATIENCE = 90.0
_LOG_LINE = re.compile(r"\[[DIWEC] \d{4}-")
_TAIL = 2000
_NOT_NEEDED = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim", "voila")
"""Extensions that a server without a browser starts quicker without."""


class ServerStartFailed(NotReady):
    """The headless server ended before it was ready, or did not become ready in time."""

    code = "server_start_failed"


class WorkspaceUnknown(NotFound):
    """A workspace was asked for by a name that no workspace has."""

    code = "workspace_unknown"


async def ensure(chosen: places.Chosen, *, say: Callable[[str], None]) -> discovery.Address:
    """Return a live server of the workspace, starting one if there is none.

    `say` is given a line when it starts and a line when it is ready. Raises `ServerStartFailed` and
    `WorkspaceUnknown`.
    """
    if sys.platform == "win32":
        raise NotReady("Windows is not supported.", hint="Use Linux, macOS, or WSL 2.")
    if "/" not in chosen.asked and chosen.asked != "default" and chosen.id is None:
        raise WorkspaceUnknown(
            f"There is no workspace {chosen.asked!r} in {chosen.path.parent}.",
            hint=f"Create it with: jupyter mlws workspace create {chosen.asked}",
        )
    async with _only_one(chosen, say=say):
        if found := discovery.find(chosen):
            return found
        return await _start(chosen, say=say)


@contextlib.asynccontextmanager
async def _only_one(chosen: places.Chosen, *, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the lock under which the server of this workspace is started."""
    root = make_runtime_root()
    short = hashlib.sha256(str(chosen.path).encode()).hexdigest()[:12]
    descriptor = os.open(root / f"start-{short}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _PATIENCE
        waiting = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ServerStartFailed(
                        f"Another process has been starting the server of {chosen.asked!r} for "
                        f"{_PATIENCE:.0f} s.",
                        hint="Look at `jupyter mlws server status`.",
                    ) from None
            if not waiting:
                waiting = True
                say("Another process is starting the server; waiting for it.")
            await asyncio.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


async def _start(chosen: places.Chosen, *, say: Callable[[str], None]) -> discovery.Address:
    begun = time.monotonic()
    log = _new_log()
    say(f"No server runs for the workspace {chosen.asked!r}: starting one in the background.")
    with log.open("ab") as sink:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once; what takes time is awaited below
            command(chosen),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=Path.home(),
            start_new_session=True,
        )
    while time.monotonic() - begun < _PATIENCE:
        if process.poll() is not None:
            raise ServerStartFailed(
                f"The server for the workspace {chosen.asked!r} ended with exit code {process.returncode} "
                f"while it started: {_last_words(log)}",
                hint=f"Its log is {log}.",
            )
        if found := _of_process(chosen, process.pid):
            say(f"The server is ready ({time.monotonic() - begun:.1f} s); it ends when idle. Log: {log}")
            return found
        await asyncio.sleep(0.05)
    process.terminate()
    raise ServerStartFailed(
        f"The server for the workspace {chosen.asked!r} was not ready after {_PATIENCE:.0f} s.",
        hint=f"Its log is {log}.",
    )


def command(chosen: places.Chosen) -> list[str]:
    """Return the command line of a headless server. Its token travels in the environment, never here."""
    options = [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        "--ServerApp.port_retries=0",
        "--ServerApp.base_url=/",
        "--ServerApp.certfile=",
        "--ServerApp.keyfile=",
        "--ServerApp.sock=",
        f"--ServerApp.root_dir={Path.home()}",
        "--ServerApp.jpserver_extensions=jupyter_mlws=True",
        *(f"--ServerApp.jpserver_extensions={name}=False" for name in _NOT_NEEDED),
        f"--MlwsApp.workspace={chosen.path if '/' in chosen.asked else chosen.asked}",
        "--MlwsApp.headless=True",
    ]
    if os.geteuid() == 0:
        options.append("--allow-root")
    return [sys.executable, "-m", "jupyter_server", *options]


def _environment() -> dict[str, str]:
    # A server is no part of the kernel or the job that happens to start it.
    ours = {"MLWS_RUNTIME_FILE", "MLWS_SERVER_URL", "MLWS_TOKEN", "MLWS_WORKSPACE", "JPY_PARENT_PID"}
    mine = {name: value for name, value in os.environ.items() if name not in ours}
    return {**mine, "JUPYTER_TOKEN": secrets.token_hex(24)}


def _of_process(chosen: places.Chosen, pid: int) -> discovery.Address | None:
    workspace_id = chosen.id
    if workspace_id is None:
        return None
    return discovery.read_runtime_file(runtime_folder(workspace_id) / f"server-{pid}.json")


def _new_log() -> Path:
    folder = places.data_folder() / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    older = sorted(folder.glob("server-*.log"))
    for path in older[: max(0, len(older) - _LOGS_KEPT + 1)]:
        path.unlink(missing_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return folder / f"server-{stamp}-{os.getpid()}.log"


def _last_words(log: Path) -> str:
    lines = log.read_bytes()[-_TAIL:].decode("utf-8", "replace").strip().splitlines()
    # Other extensions may log a line after the one that says why the server ended.
    said = [line for line in lines if not _LOG_LINE.match(line)] or lines
    return said[-1].strip() if said else "it wrote nothing."
