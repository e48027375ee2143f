"""MLflow's server whose starter dies in the middle of starting it."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any


def test_without_a_token_it_serves_nobody(place: Any) -> None:
    folder = place.root / "mlflow"
    folder.mkdir()
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix, (folder / "lock").open("w") as lock:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(str(place.runtime / "s"))
        for listening in (tcp, unix):
            listening.listen()
        handed = {"--tcp": tcp.fileno(), "--unix": unix.fileno(), "--lock": lock.fileno()}
        words = [str(word) for pair in [*handed.items(), ("--idle", 300)] for word in pair]
        ended = subprocess.run(
            [sys.executable, "-m", "jupyter_mlws.tracking.serve", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            pass_fds=tuple(handed.values()),
            timeout=100,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (3, "mlws: It was given no token.\n")
    assert not (folder / "server.json").exists()
