"""Has processes of jobs give way to whoever works at the machine, and to the server. Standard library alone.

Niceness decides between processes that want the same CPU. Linux may share the CPUs among sessions first
(`sched(7)`, autogroups), and a process's niceness then counts among those of its session alone: jobs have
sessions of their own, so each session gets the niceness of its leader, too.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_GROUP = "autogroup"


def be_nice(nice: int) -> None:
    """Give this process, and what it starts from now on, at least this niceness, of 0 to 19."""
    _at_least(nice, 0)


def give_way(pid: int = 0, *, nice: int = 0) -> None:
    """Give a process at least this niceness, and its session the niceness that the process has then.

    `pid` 0 is this process. What the system does not allow is left as it is: it lets users who are not root
    change ten sessions a second.
    """
    with contextlib.suppress(OSError):
        _at_least(nice, pid)
        Path("/proc", str(pid or os.getpid()), _GROUP).write_text(str(os.getpriority(os.PRIO_PROCESS, pid)))


def _at_least(nice: int, pid: int) -> None:
    if nice > os.getpriority(os.PRIO_PROCESS, pid):
        os.setpriority(os.PRIO_PROCESS, pid, nice)
