"""Start the process of MLflow's server: its lock, its log, and the wait until it answers."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from jupyter_mlws.tracking.address import HEALTH, TrackingAddress, health
from jupyter_mlws.tracking.listening import Listening, TrackingFailed

_LARGEST_LOG = 5 * 2**20
_TAIL_LINES = 12
_SENTENCE = "mlws: "


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
    folder: Path, listening: Listening, *, workspace: Path, token: str, python: str, idle: float, lock: int
) -> subprocess.Popen[bytes]:
    """Start the server in `folder`, in a session of its own, with the sockets `listening` and this token.

    It ends by itself after `idle` seconds without anything to do. Raises `TrackingFailed`.
    """
    # From where it works, so that both may be moved; mostly it is the folder above.
    above = os.path.relpath(workspace.resolve(), folder.resolve())
    log = folder / "server.log"
    _rotate(log)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    handed = (listening.tcp.fileno(), listening.unix.fileno(), lock)
    arguments = [
        word
        for name, number in zip(("tcp", "unix", "lock"), handed, strict=True)
        for word in (f"--{name}", str(number))
    ]
    arguments += ["--idle", str(idle)]
    try:
        process = subprocess.Popen(
            [python, "-m", "jupyter_mlws.tracking.serve", *arguments, "--workspace", above],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=descriptor,
            pass_fds=handed,
            start_new_session=True,
        )
    except OSError as error:
        raise TrackingFailed(f"MLflow's server cannot be started with {python}: {error}.") from error
    finally:
        os.close(descriptor)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(f"{token}\n".encode())
    return process


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
    # No certificates: to load those of all authorities takes longer than all the rest.
    by_socket = httpx.AsyncHTTPTransport(uds=os.fspath(address.socket), verify=False)
    by_tcp = httpx.AsyncHTTPTransport(verify=False)
    try:
        # The socket first: its folder is ours alone, so that the token is shown to no stranger.
        async with httpx.AsyncClient(
            transport=by_socket, base_url="http://localhost", timeout=patience, trust_env=False
        ) as client:
            if (await client.get(HEALTH)).json() != health(pid):
                return False
        async with httpx.AsyncClient(
            transport=by_tcp, base_url=address.url, timeout=patience, trust_env=False
        ) as client:
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
