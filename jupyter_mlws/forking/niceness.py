"""Has processes of jobs give way to whoever works at the machine, and to the server. Standard library alone.

Niceness decides between threads that want the same CPU. Linux may share the CPUs among sessions first
(`sched(7)`, autogroups), and niceness then counts within a session alone; the processes of jobs have sessions
of their own, which have a niceness, too. That of a session can be taken back; that of a thread only by root.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def set_session(nice: int, pid: int | None = None) -> bool:
    """Give the session of a process, or of this one, a niceness of 0 to 19.

    False when it may be tried again: Linux lets users who are not root change ten sessions a second together.
    """
    try:
        Path("/proc", "self" if pid is None else str(pid), "autogroup").write_text(str(nice))
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EINTR)
    return True


def give_way(pid: int, nice: int) -> bool:
    """Give a process, with what it starts from now on, and its session at least this niceness; see above."""
    for thread in _threads(pid):
        with contextlib.suppress(OSError):  # it ended just now
            if nice > os.getpriority(os.PRIO_PROCESS, thread):
                os.setpriority(os.PRIO_PROCESS, thread, nice)
    return set_session(nice, pid)


def _threads(pid: int) -> list[int]:
    try:
        return [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return [pid]  # the system has no such folder
