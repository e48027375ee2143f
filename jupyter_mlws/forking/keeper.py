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
_SHORTEST_ROUND, _LONGEST_ROUND = 0.001, 0.02  # seconds between two looks whether all is killed
_SECONDS = 5.0
_LISTED = Path(f"/proc/self/task/{os.getpid()}/children").exists()


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
        if not _any_child():
            with contextlib.suppress(OSError):
                leash.send(json.dumps({"gone": True}).encode())
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
    for child in _children(os.getpid()):
        if child != but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def _end(pid: int) -> None:
    """Kill all that descends from this process; what loses its parent meanwhile comes to it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    pause = _SHORTEST_ROUND
    deadline = time.monotonic() + _SECONDS
    while _any_child() and time.monotonic() < deadline:
        for child in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_ROUND)


def _any_child() -> bool:
    """Reap what has ended, and say whether any child is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _descendants(pid: int) -> list[int]:
    """The children of a process, and theirs, as far as they can be seen while they come and go."""
    found = _children(pid)
    for child in found:
        found += _children(child)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it is gone
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - one of these for each child that ends
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return found if found or _LISTED else _children_of_all(pid)


def _children_of_all(pid: int) -> list[int]:
    """The same where the system does not list them (CONFIG_PROC_CHILDREN): out of all processes."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                if int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _name(name: str) -> None:
    """What `ps` shows."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)
