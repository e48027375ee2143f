"""Tells when a process has ended: by its pidfd where the system has them, else by looking."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from jupyter_mlws.processes.identity import ProcessRef

_POLL_SECONDS = 0.5  # where there is no pidfd: macOS, or no descriptor is left


class Watch:
    """Calls back once on the event loop when a process has ended, and reaps it if it was ours."""

    def __init__(self, ref: ProcessRef, ended: Callable[[], None]) -> None:
        self._ref = ref
        self._ended: Callable[[], None] | None = ended
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = None
        self._timer: asyncio.TimerHandle | asyncio.Handle | None = None
        try:
            self._descriptor = _open(ref.pid)
        except ProcessLookupError:
            self._timer = self._loop.call_soon(self._notice)
            return
        if not ref.alive():  # it ended, or the pid was given to somebody else before it was opened
            self._timer = self._loop.call_soon(self._notice)
        elif self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._notice)
        else:
            self._poll()

    def close(self) -> None:
        """Call back no more. A child is still reaped when it ends, so that no zombie stays."""
        self._ended = None
        if not _is_child(self._ref.pid):
            self._stop()

    def _stop(self) -> None:
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
        self._stop()
        # Only a child can be reaped; one that an earlier server started belongs to init by now.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._ref.pid, os.WNOHANG)
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()


def _open(pid: int) -> int | None:
    """Return a pidfd, None where there are none. Raises ProcessLookupError."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:
        return None


def _is_child(pid: int) -> bool:
    """Whether `pid` is a child of this process that was not reaped yet."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
