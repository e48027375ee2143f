"""Processes that are known by nothing but an argument that they were started with."""

from __future__ import annotations

import contextlib
import os
import time

import psutil

_SECONDS, _POLL_SECONDS = 2.0, 0.01


def end_started_with(argument: str) -> None:
    """Kill this user's processes that have `argument` on their command line, which nobody else has.

    Returns when they are gone, or after 2 seconds. It looks at all processes, which takes some 20 ms.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real == os.getuid() and argument in process.cmdline():
                process.kill()
                found.append(process)
    deadline = time.monotonic() + _SECONDS
    # Not psutil's wait: it would take the exit code away from whoever started the process.
    while any(map(_lives, found)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
