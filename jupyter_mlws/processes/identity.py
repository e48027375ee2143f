"""A process known for certain: by its pid and its start time, since pids are used again."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass

import psutil

_POLL_SECONDS = 0.02
# The start is reckoned from the clock, which may be set meanwhile; a pid does not come round again within
# seconds of its first use.
_SAME_START_SECONDS = 5.0


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
        except psutil.Error:
            return None

    @classmethod
    def this(cls) -> ProcessRef:
        """Return the process that calls."""
        return cls(os.getpid(), psutil.Process().create_time())

    def alive(self) -> bool:
        """Whether this very process runs. One that ended and waits to be reaped does not."""
        try:
            process = psutil.Process(self.pid)
            return self._is(process) and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def replaced(self) -> bool:
        """Whether the pid was given to another process."""
        try:
            return not self._is(psutil.Process(self.pid))
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
        """Kill the process and all of the group that it leads, or led before it ended; may take 0.1 s."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.alive():
                if os.getpgid(self.pid) == self.pid:
                    os.killpg(self.pid, signal.SIGKILL)
                else:
                    os.kill(self.pid, signal.SIGKILL)
                return
        for orphan in [] if self.replaced() else self._orphans():
            with contextlib.suppress(psutil.Error):
                orphan.kill()

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for its end, not on an event loop; False if it lives on."""
        deadline = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _is(self, process: psutil.Process) -> bool:
        return bool(abs(process.create_time() - self.started) <= _SAME_START_SECONDS)

    def _orphans(self) -> list[psutil.Process]:
        """Members of the group that began after its leader: a number that is free may be an older group's."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                ours = os.getpgid(process.pid) == self.pid and process.pid != os.getpid()
                if ours and process.create_time() >= self.started - _SAME_START_SECONDS:
                    found.append(process)
        return found
