"""A home of its own for our peer: no workspace of the user is touched, and all that starts there is ended.

To be imported before jupyter_mlws: the environment of this process points there from then on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import psutil

MARK = "MLWS_BENCHMARK"


def move_in() -> Path:
    """Make the home, and let this process live there; return its folder, short for the sockets in it."""
    home = Path(tempfile.mkdtemp(prefix="mlwsb", dir="/tmp"))
    for name in (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "XDG_RUNTIME_DIR",
        "IPYTHONDIR",
    ):
        folder = home / name.removesuffix("_DIR").rpartition("_")[2].lower() / name[0].lower()
        folder.mkdir(mode=0o700, parents=True)
        os.environ[name] = str(folder)
    os.environ["HOME"] = str(home)
    os.environ["MLWS_WORKSPACE"] = str(home / "workspace")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ[MARK] = str(home)
    os.environ.pop("MLWS_RUNTIME_FILE", None)
    return home


def move_out(home: Path) -> None:
    """End the server, MLflow and whatever else was started there, and remove it all."""
    for _ in range(20):
        ours = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and process.environ().get(MARK) == str(home):
                    ours.append(process)
        if not ours:
            break
        for process in ours:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(ours, timeout=5)
    shutil.rmtree(home, ignore_errors=True)
