"""Has processes give way to whoever works at the machine, and to the server.

Niceness decides between threads that want the same CPU. Linux may share the CPUs among sessions first
(`sched(7)`, autogroups), and niceness then counts within a session alone; sessions have a niceness, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def give_way(pid: int, nice: int) -> bool:
    """Give a process at least the niceness `nice`, 0 to 19, and the session that it leads this one.

    What it starts from now on inherits that. False when the session's may be tried again: Linux lets users
    who are not root change ten sessions a second together.
    """
    for thread in _threads(pid):
        with contextlib.suppress(OSError):  # it ended just now
            if nice > os.getpriority(os.PRIO_PROCESS, thread):
                os.setpriority(os.PRIO_PROCESS, thread, nice)
    try:
        if os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EINTR)
    return True


def _threads(pid: int) -> list[int]:
    try:
        return [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return [pid]  # the system has no such folder
