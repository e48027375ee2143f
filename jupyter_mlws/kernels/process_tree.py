"""A process and everything that it started: memory, CPU time, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import psutil

from jupyter_mlws.kernels.driver import Usage
from jupyter_mlws.processes.identity import ProcessRef
from jupyter_mlws.processes.niceness import give_way

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_ROUNDS = 200  # a process may start another one while its tree is being killed
_ROUND_SECONDS = 0.01


def adopt_orphans() -> bool:
    """Make this process the parent of descendants whose own parent ended; False where that is not possible.

    Without it a process that detaches itself (double fork) could no longer be found, and would
    survive its job.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class ProcessTree:
    """The process `pid`, what it started, and other descendants of `adopter`.

    `adopter` is a process that adopts what loses its parent and runs nothing but this one tree: this one,
    after `adopt_orphans`, or a keeper. None where there is no such process. A process that was forked
    (`forked`) shares pages with others that are not of its tree.
    """

    def __init__(self, pid: int, *, adopter: int | None, forked: bool = False) -> None:
        self.pid = pid
        self._forked = forked
        self._nice: int | None = None
        self._polite: set[int] = set()
        self._adopter = None if adopter is None else ProcessRef.of(adopter)
        self._known: dict[int, psutil.Process] = {}
        self.ref = ProcessRef.of(pid)
        with contextlib.suppress(psutil.Error):
            self._known[pid] = psutil.Process(pid)

    def processes(self) -> list[psutil.Process]:
        """The processes that live now. Each is remembered, so that CPU time and end find it again."""
        found: list[psutil.Process] = []
        for root in self._roots():
            with contextlib.suppress(psutil.Error):
                found += [root, *root.children(recursive=True)]
        for process in found:
            self._known.setdefault(process.pid, process)
        alive: list[psutil.Process] = []
        for process in list(self._known.values()):
            with contextlib.suppress(psutil.Error):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(process)
                    continue
            if process.pid != self.pid:
                del self._known[process.pid]
        return alive

    def give_way(self, nice: int) -> None:
        """Have all processes give way to others, each once `usage` sees it; see `processes.niceness`."""
        self._nice = nice

    def _see_that_they_give_way(self, processes: list[psutil.Process], nice: int) -> None:
        pids = {process.pid for process in processes}
        self._polite &= pids
        self._polite |= {pid for pid in pids - self._polite if give_way(pid, nice)}

    def usage(self) -> Usage:
        """Memory and CPU time of the tree; costs some milliseconds."""
        processes = self.processes()
        if self._nice is not None:
            self._see_that_they_give_way(processes, self._nice)
        memory = 0
        cpu = 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                # Children that ended are in their parent's `children_*`.
                cpu += times.user + times.system
                cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                memory += _resident(process, shared=self._forked or len(processes) > 1)
        return Usage(memory=memory, cpu_seconds=round(cpu, 2))

    def kill(self) -> None:
        """End the tree at once, and reap what this process adopted."""
        for _ in range(_ROUNDS):
            self._kill_group()
            left = self.processes()
            if not left:
                break
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            # Not psutil's wait: it would take the exit code away from whoever started the process.
            time.sleep(_ROUND_SECONDS)
        self._reap()

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process group that `pid` leads, or to `pid` alone if it leads none."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def _kill_group(self) -> None:
        # The leader may be gone (then getpgid fails) while others of its group live on.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # The pid, and with it the group's number, may be somebody else's by now.
            if self.pid != os.getpgrp() and self.ref is not None and not self.ref.replaced():
                os.killpg(self.pid, signal.SIGKILL)

    def _roots(self) -> list[psutil.Process]:
        roots = [self._known[self.pid]] if self.pid in self._known else []
        self._reap()
        return roots + self._adopted()

    def _adopted(self) -> list[psutil.Process]:
        adopter = self._adopter
        if adopter is None or not adopter.alive():
            return []
        with contextlib.suppress(psutil.Error):
            return [child for child in psutil.Process(adopter.pid).children() if child.pid != self.pid]
        return []

    def _reap(self) -> None:
        """Collect adopted processes that ended: they would stay as zombies until we end."""
        if self._adopter is None or self._adopter.pid != os.getpid():
            return
        for child in self._adopted():
            with contextlib.suppress(psutil.Error, ChildProcessError):
                if child.status() == psutil.STATUS_ZOMBIE:
                    os.waitpid(child.pid, os.WNOHANG)


def _resident(process: psutil.Process, *, shared: bool) -> int:
    """Bytes that a process holds. Among several, pages that they share are split between them (PSS)."""
    if shared and sys.platform.startswith("linux"):
        with contextlib.suppress(psutil.Error, AttributeError):
            return int(process.memory_full_info().pss)
    return int(process.memory_info().rss)
