"""A process known for certain: by its pid and its start time, since pids are used again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

import psutil

_POLL_SECONDS = 0.5  # where the kernel has no pidfd (macOS)
_SAME_START_SECONDS = 5.0  # the start is reckoned from the clock, which may be set meanwhile


@dataclass(frozen=True, slots=True)
class ProcessRef:
    """One process: its pid, and when it started in seconds since 1970."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessRef | None:
        """Return the process that has `pid` now; None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """Whether this very process runs. One that ended and waits to be reaped does not."""
        try:
            process = psutil.Process(self.pid)
            same = bool(abs(process.create_time() - self.started) <= _SAME_START_SECONDS)
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to this very process; False when it is gone."""
        if not self.alive():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False

    def kill_group(self) -> None:
        """Kill the process and, where it leads a process group of its own, all of the group."""
        if not self.alive():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)


class Watch:
    """Calls back once on the event loop when a process has ended, and reaps it if it was ours."""

    def __init__(self, ref: ProcessRef, ended: Callable[[], None]) -> None:
        self._ref = ref
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        if hasattr(os, "pidfd_open"):
            try:
                self._descriptor = os.pidfd_open(ref.pid)
            except ProcessLookupError:
                self._loop.call_soon(self._notice)
                return
            if not ref.alive():  # the pid was given to somebody else before it was opened
                self._loop.call_soon(self._notice)
                return
            self._loop.add_reader(self._descriptor, self._notice)
        else:
            self._poll()

    def close(self) -> None:
        """Stop watching."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _poll(self) -> None:
        if not self._ref.alive():
            self._notice()
            return
        self._timer = self._loop.call_later(_POLL_SECONDS, self._poll)

    def _notice(self) -> None:
        self.close()
        # Only a child can be reaped; one that an earlier server started belongs to init by now.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._ref.pid, os.WNOHANG)
        self._ended()
