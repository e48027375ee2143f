"""What a fork server for kernels runs in its children: ipykernel, as `python -m ipykernel_launcher` would.

Standard library and ipykernel alone: it runs in the job's environment.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import types
from pathlib import Path
from typing import Any

_NO_HISTORY = "--HistoryManager.hist_file=:memory:"
_CHANNELS = ("shell", "iopub", "stdin", "hb", "control")


def prepare(place: str) -> Any:
    """Make a kernel that listens on sockets in `place`, and return it; it answers nothing before `run`."""
    from ipykernel.kernelapp import IPKernelApp

    sys.modules["__main__"] = types.ModuleType("__main__")
    path = str(Path(place, "kernel.json"))
    sys.argv = ["ipykernel_launcher", "-f", path]
    connection = {
        **{channel + "_port": port for port, channel in enumerate(_CHANNELS, start=1)},
        "ip": str(Path(place, "k")),
        "transport": "ipc",
        "key": secrets.token_hex(32),
        "signature_scheme": "hmac-sha256",
        "kernel_name": "",
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(connection, stream)
    # It belongs to whoever takes it, not to whoever started the server.
    os.environ.pop("JPY_PARENT_PID", None)
    app: Any = IPKernelApp.instance()
    app.initialize(["-f", path, _NO_HISTORY, "--log-level=40"])
    _warm_up(app)
    return app


def _warm_up(app: Any) -> None:
    """Have the first cell behind us, which takes some ten milliseconds longer than those that follow."""
    shell = getattr(app, "shell", None)
    if shell is not None:
        shell.run_cell("None", store_history=False, silent=True)
        shell.user_expressions({"warm": "1"})


def run(app: Any, order: Any) -> int:
    """Run its loop, which nobody else can reach before `order` has come; until the kernel is asked to end."""
    from tornado.ioloop import IOLoop

    loop = IOLoop.current()

    def begin(descriptor: int, events: int) -> None:
        loop.remove_handler(descriptor)
        try:
            order.take()
        except (OSError, ValueError, KeyError):
            loop.stop()  # whoever wanted it is gone

    loop.add_handler(order.fileno(), begin, loop.READ)
    app.start()
    return 0
