"""The keeper of one forked process: its parent, which outlives it and nobody else. Standard library alone.

It holds one end of a leash, a socket, of which its owner holds the other. It tells the owner how the process
ended, adopts what the process leaves behind, and ends all of it when the owner lets go or dies: so nothing
that a job starts outlives the job, whoever is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_ROUND_SECONDS = 0.01
_ROUNDS = 500


def keep(
    leash: socket.socket, run: Callable[[str], Any], *, within: Path, release: Iterable[Callable[[], Any]]
) -> int:
    """Fork a child that calls `run(folder)`, a folder for its sockets; keep it until the leash is cut.

    The folder is made in `within`. `release` is called once the child is there, to close what is its own.
    """
    _name("mlws-keeper")
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    woken, waker = os.pipe()
    for descriptor in (woken, waker):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    place = tempfile.mkdtemp(prefix="mlws-k", dir=within)
    keeper = os.getpid()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Should the keeper itself be killed, the owner could no longer be told, nor anything be kept.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(1)
        os.setsid()
        leash.close()
        _name("mlws-kernel")
        return int(run(place) or 0)
    try:
        for each in release:
            each()
        _watch(leash, pid, woken)
    finally:
        _end(pid)
        shutil.rmtree(place, ignore_errors=True)
        # Nothing of the server's own end is to be done here.
        os._exit(0)


def _watch(leash: socket.socket, pid: int, woken: int) -> None:
    """Reap, and say when `pid` has ended, until the other end of the leash is closed."""
    told = False
    while True:
        sources: list[Any] = [leash, woken]
        ready, _, _ = select.select(sources, [], [])
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
            _reap(but=pid)
        # It stays a zombie, so that nobody else gets its number while its group may be killed.
        ended = None if told else os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            told = True
            code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            with contextlib.suppress(OSError):
                leash.send(json.dumps({"ended": code}).encode())
        if leash in ready and not _pulled(leash):
            return


def _pulled(leash: socket.socket) -> bool:
    try:
        return bool(leash.recv(4096))
    except OSError:
        return False


def _reap(*, but: int) -> None:
    for child in _descendants(os.getpid(), deep=False):
        if child != but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def _end(pid: int) -> None:
    """Kill all that descends from this process; what loses its parent meanwhile comes to it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for _ in range(_ROUNDS):
        _reap(but=0)
        left = _descendants(os.getpid(), deep=True)
        for child in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        if not left:
            return
        time.sleep(_ROUND_SECONDS)


def _descendants(pid: int, *, deep: bool) -> list[int]:
    """The children of a process, and theirs if `deep`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = list(children.get(pid, ()))
    for child in found if deep else ():
        found += children.get(child, ())
    return found


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _name(name: str) -> None:
    """What `ps` shows."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)
