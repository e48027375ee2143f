"""A process known for certain: by its pid and its start time, since pids are used again."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL_SECONDS = 0.02
_SAME_START_SECONDS = 0.05
_START_FIELD = 19  # of /proc/<pid>/stat after the name: proc(5), starttime


def process_start(pid: int) -> float:
    """Return when a process started, in seconds. Raises `psutil.Error` when there is none.

    On Linux it is counted from the machine's own start, which stays when the clock is set; elsewhere from
    1970, as the system keeps it.
    """
    if not sys.platform.startswith("linux"):
        return psutil.Process(pid).create_time()
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[_START_FIELD]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError) as error:
        raise psutil.NoSuchProcess(pid) from error


@dataclass(frozen=True, slots=True)
class ProcessRef:
    """One process: its pid, and when it started (see `process_start`)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessRef | None:
        """Return the process that has `pid` now; None when there is none."""
        try:
            return cls(pid, process_start(pid))
        except psutil.Error:
            return None

    @classmethod
    def this(cls) -> ProcessRef:
        """Return the process that calls."""
        return cls(os.getpid(), process_start(os.getpid()))

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
        return bool(abs(process_start(process.pid) - self.started) <= _SAME_START_SECONDS)

    def _orphans(self) -> list[psutil.Process]:
        """Members of the group that began after its leader: a number that is free may be an older group's."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                ours = os.getpgid(process.pid) == self.pid and process.pid != os.getpid()
                if ours and process_start(process.pid) >= self.started - _SAME_START_SECONDS:
                    found.append(process)
        return found
