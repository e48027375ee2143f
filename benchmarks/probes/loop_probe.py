"""A Jupyter server extension of the benchmarks: how long is the server's event loop held, and by what?

A callback is due every 5 ms; what it comes late by is how long the loop was held. Of that time it says how
long the loop's thread had a CPU, and how long it was ready and had none, since the system gave it to others;
the rest it slept: it waited for the GIL, a lock or the disk. A thread looks on, and notes where the loop's
thread is while it is held. `GET /loop_probe` gives what was seen since the last time, and begins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

EVERY = 0.005
"""Seconds between two callbacks."""
HELD = 0.05
"""Seconds from which on the loop counts as held, and its culprit is looked for."""
_KEPT = 10
_FRAMES = 14


@dataclass
class Hold:
    """One time that the loop was held. All in seconds."""

    late: float
    on_cpu: float
    without_cpu: float
    """Ready to run, while the CPUs were given to others."""
    collecting: float
    """In which garbage was collected, by whichever thread: the GIL is held for that."""
    at: float
    """Since 1970."""
    stacks: list[str] = field(default_factory=list)
    """Where the loop's thread was, as often as somebody looked, innermost call last."""

    @property
    def own(self) -> float:
        """What is left of it without the wait for a CPU: on one, or asleep for the GIL, a lock, the disk."""
        return max(0.0, self.late - self.without_cpu)


class Probe:
    """Watches the loop that it is made in, from then on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._schedstat = _open_schedstat()
        self._stacks: list[str] = []
        self._collected, self._collecting_since = 0.0, 0.0
        gc.callbacks.append(self._note_collection)
        self.begin_anew()
        self._mark()
        self._loop.call_later(EVERY, self._beat)
        threading.Thread(target=self._look_on, name="loop-probe", daemon=True).start()

    def begin_anew(self) -> None:
        """Forget what was seen."""
        self._beats = 0
        self._over = 0
        self._since = time.perf_counter()
        self._worst_late: list[Hold] = []
        self._worst_own: list[Hold] = []

    def seen(self) -> dict[str, Any]:
        """Return what was seen since the beginning, as JSON can hold it."""
        return {
            "seconds": time.perf_counter() - self._since,
            "beats": self._beats,
            "over": self._over,
            "knows_cpu": self._schedstat is not None,
            "worst_late": [asdict(each) for each in self._worst_late],
            "worst_own": [asdict(each) for each in self._worst_own],
        }

    def _mark(self) -> None:
        self._cpu, self._waited = time.thread_time(), self._run_delay()
        self._collected = 0.0
        self._last = time.perf_counter()

    def _note_collection(self, phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_since = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting_since

    def _beat(self) -> None:
        late = time.perf_counter() - self._last - EVERY
        on_cpu, without_cpu = time.thread_time() - self._cpu, self._run_delay() - self._waited
        hold = Hold(late, on_cpu, without_cpu, self._collected, time.time())
        self._beats += 1
        if late > HELD:
            self._over += 1
            hold.stacks = self._stacks
        self._stacks = []
        self._worst_late = sorted([*self._worst_late, hold], key=lambda each: -each.late)[:_KEPT]
        self._worst_own = sorted([*self._worst_own, hold], key=lambda each: -each.own)[:_KEPT]
        self._mark()
        self._loop.call_later(EVERY, self._beat)

    def _run_delay(self) -> float:
        if self._schedstat is None:
            return 0.0
        return int(os.pread(self._schedstat, 100, 0).split()[1]) / 1e9

    def _look_on(self) -> None:
        while not self._loop.is_closed():
            time.sleep(HELD / 5)
            last = self._last
            if time.perf_counter() - last > HELD + EVERY:
                stack = _below_loop(traceback.extract_stack(sys._current_frames().get(self._thread)))
                if self._last == last:  # still the same hold
                    self._stacks.append(stack)


def _below_loop(stack: traceback.StackSummary) -> str:
    """Return the calls below those of the loop itself, a line each."""
    names = [frame.name for frame in stack]
    # From the end: a loop in a loop, as with nested calls, would hide who is meant.
    begin = len(names) - names[::-1].index("_run") if "_run" in names else -2
    return "\n".join(
        f"{frame.filename}:{frame.lineno} {frame.name}: {frame.line}" for frame in stack[begin:][-_FRAMES:]
    )


def _open_schedstat() -> int | None:
    """Open Linux's account of this thread: time on a CPU, time ready without one, number of turns."""
    with contextlib.suppress(OSError):
        path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return None


class _Handler(APIHandler):
    def initialize(self, probe: Probe) -> None:
        self._probe = probe

    @web.authenticated
    def get(self) -> None:
        """Give what was seen since the last time, and begin anew."""
        self.finish(json.dumps(self._probe.seen()))
        self._probe.begin_anew()


async def _start_jupyter_server_extension(serverapp: Any) -> None:
    place = f"{serverapp.base_url.rstrip('/')}/loop_probe"
    serverapp.web_app.add_handlers(".*$", [(place, _Handler, {"probe": Probe()})])


def _load_jupyter_server_extension(serverapp: Any) -> None:
    """Nothing: what is to be done needs the loop, which runs when the other function is called."""


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "loop_probe"}]
