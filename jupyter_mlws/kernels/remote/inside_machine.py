"""What a kernel can say of the machine it runs on, and of its own processes. A part of `inside`.

Standard library alone, and psutil where it is; Python 3.9 or later.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from typing import Any


def use() -> dict[str, Any]:
    """Return what the processes use: bytes of memory, seconds of CPU; None where nobody can tell."""
    memory = cpu = 0.0
    try:
        import psutil
    except ImportError:
        return {"memory": None, "cpu": None}
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            cpu += times.user + times.system
            cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            memory += process.memory_info().rss
    return {"memory": int(memory), "cpu": round(cpu, 2)}


def end_children() -> None:
    """End the processes that this one started, and theirs."""
    with contextlib.suppress(Exception):
        import psutil

        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()


def die() -> None:
    """End this process and its group at once."""
    pid = os.getpid()
    if os.getpgrp() == pid:
        os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)


def distributions() -> str:
    """Return the installed distributions as JSON: name, version and origin (PEP 610) of each."""
    from importlib import metadata

    found = {}
    for each in metadata.distributions():
        with contextlib.suppress(Exception):
            name = each.metadata["Name"]
            if name and name not in found:
                found[name] = [each.version, each.read_text("direct_url.json")]
    return json.dumps(found)
