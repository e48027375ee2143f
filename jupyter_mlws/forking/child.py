"""What a forked process does first and last: it puts off what it has of its parent, and ends as Python does.

Standard library alone, as everything that a fork server loads.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_STANDARD = (0, 1, 2)
# Before a job's kernel replaces it by one that lets output get away, which is so here already.
_exit_now = os._exit


def fork() -> int:
    """Fork. Threads of OpenBLAS are no obstacle: it stops and starts them by itself."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def live(run: Callable[[], Any]) -> None:
    """In a new child: put the signals back, call `run`, and end with what it returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python itself has it
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        code = int(run() or 0)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)


def _leave(code: int) -> None:
    """End as an interpreter does, as far as the user's code can tell, and without the server's own end."""
    import atexit
    import threading

    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    _exit_now(code & 0xFF)


def only(*kept: int) -> None:
    """Close all descriptors but the standard ones and these."""
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in (*_STANDARD, *kept):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def standard_streams(output: int | None) -> None:
    """Read nothing, and write to `output` (to nowhere if None)."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing if output is None else output, 1)
    os.dup2(nothing if output is None else output, 2)
    os.close(nothing)


def reseed() -> None:
    """Give the process random states of its own: a fork has its parent's."""
    import random

    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        numpy.random.seed()
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.seed()
