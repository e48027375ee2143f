"""Start the process of MLflow's server: its sockets, its lock, its log, and the wait until it answers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from jupyter_mlws.model.errors import NotReady
from jupyter_mlws.tracking.address import HEALTH, SOCKET, ServerRecord, TrackingAddress, health

_LARGEST_LOG = 5 * 2**20
_TAIL_LINES = 12
_PATIENCE_PORT = 3.0
_SENTENCE = "mlws: "


class TrackingFailed(NotReady):
    """MLflow's server did not start, or does not answer."""

    code = "tracking_failed"


@asynccontextmanager
async def start_lock(path: Path, *, patience: float) -> AsyncIterator[int]:
    """Hold the lock file at `path`, so that one process at a time starts or stops the server.

    Gives the file's descriptor: the lock lasts until the last process that has it closes it.

    Raises `TrackingFailed` when another holds it for more than `patience` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TrackingFailed(
                        f"Another process has been starting MLflow's server for more than {patience:.0f} s.",
                        hint=f"See which one holds {path}.",
                    ) from None
            await asyncio.sleep(0.05)
        yield descriptor
    finally:
        os.close(descriptor)


def spawn(
    folder: Path, *, runtime: Path, python: str, previous: ServerRecord | None, lock: int
) -> tuple[subprocess.Popen[bytes], TrackingAddress]:
    """Start the server in `folder`, in a session of its own, on the port and with the token of `previous`.

    If another process has that port now, both are new: jobs under way would show the token to a stranger.
    The sockets listen before the process is up, so that whoever connects meanwhile waits and is not refused.
    """
    log = folder / "server.log"
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        same_port = _listen_on_loopback(tcp, port=previous.port if previous else 0)
        token = previous.token if previous and same_port else secrets.token_urlsafe(32)
        address = TrackingAddress(
            url=f"http://127.0.0.1:{tcp.getsockname()[1]}", token=token, socket=_listen_in(runtime, unix)
        )
        _rotate(log)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        stack.callback(os.close, descriptor)
        handed = (tcp.fileno(), unix.fileno(), lock)
        arguments = [
            word
            for name, number in zip(("tcp", "unix", "lock"), handed, strict=True)
            for word in (f"--{name}", str(number))
        ]
        try:
            process = subprocess.Popen(
                [python, "-m", "jupyter_mlws.tracking.serve", *arguments],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=descriptor,
                stderr=descriptor,
                pass_fds=handed,
                start_new_session=True,
            )
        except OSError as error:
            raise TrackingFailed(f"MLflow's server cannot be started with {python}: {error}.") from error
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(f"{token}\n".encode())
    return process, address


def _listen_on_loopback(tcp: socket.socket, *, port: int) -> bool:
    """Listen on `port` if it is free and not 0, else on any; returns whether it became `port`."""
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    same = port != 0 and _bind_patiently(tcp, port)
    if not same:
        tcp.bind(("127.0.0.1", 0))
    tcp.listen(1024)
    return same


def _bind_patiently(tcp: socket.socket, port: int) -> bool:
    # The threads of a server that was just killed hold the port for a moment after its process is gone.
    deadline = time.monotonic() + _PATIENCE_PORT
    while True:
        try:
            tcp.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _listen_in(runtime: Path, unix: socket.socket) -> Path:
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = runtime / SOCKET
    path.unlink(missing_ok=True)
    try:
        unix.bind(os.fspath(path))
    except OSError as error:
        raise TrackingFailed(
            f"MLflow's server cannot listen at {path}: {error}.",
            hint="Set XDG_RUNTIME_DIR to a folder with a short path on a local disk.",
        ) from error
    path.chmod(0o600)
    unix.listen(1024)
    return path


def _rotate(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_name(f"{log.name}.1"))


async def until_ready(
    process: subprocess.Popen[bytes], *, address: TrackingAddress, log: Path, patience: float
) -> None:
    """Wait until the server answers by both doors. Raises `TrackingFailed` with the end of its log."""
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        # It connects at once and is answered when the server is up; a server that ends breaks it off.
        answering = asyncio.create_task(answers(address, pid=process.pid, patience=patience))
        try:
            while process.poll() is None and time.monotonic() < deadline and not answering.done():
                await asyncio.wait([answering], timeout=0.05)
            if answering.done() and answering.result():
                return
        finally:
            answering.cancel()
        await asyncio.sleep(0.05)
    if process.poll() is None:
        process.kill()
        process.wait()
        reason = f"It did not answer within {patience:.0f} s."
    else:
        reason = f"It ended with exit code {process.poll()}."
    sentence, tail = _end_of(log)
    raise TrackingFailed(
        f"MLflow's server did not start. {sentence or reason}\n{tail}".rstrip(), hint=f"Its log is {log}."
    )


async def answers(address: TrackingAddress, *, pid: int, patience: float) -> bool:
    """Whether process `pid` answers within `patience` seconds, by the socket, and by TCP with the token."""
    headers = {"Authorization": f"Bearer {address.token}"}
    by_socket = httpx.AsyncHTTPTransport(uds=os.fspath(address.socket))
    try:
        # The socket first: its folder is ours alone, so that the token is shown to no stranger.
        async with httpx.AsyncClient(
            transport=by_socket, base_url="http://localhost", timeout=patience
        ) as client:
            if (await client.get(HEALTH)).json() != health(pid):
                return False
        async with httpx.AsyncClient(base_url=address.url, timeout=patience, trust_env=False) as client:
            return bool((await client.get(HEALTH, headers=headers)).json() == health(pid))
    except (httpx.HTTPError, ValueError):
        return False


def _end_of(log: Path) -> tuple[str | None, str]:
    """The sentence that the process left, if any, and the last lines of its log."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        lines = file.read().decode("utf-8", "replace").splitlines()
        left = [line.removeprefix(_SENTENCE) for line in lines if line.startswith(_SENTENCE)]
        if lines and lines[-1].startswith(_SENTENCE):
            return left[-1], ""
        return None, "\n".join(lines[-_TAIL_LINES:])
    return None, ""
