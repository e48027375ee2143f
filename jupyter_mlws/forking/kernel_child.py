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
    return app


def run(app: Any) -> int:
    """Answer, until the kernel is asked to end."""
    app.start()
    return 0
