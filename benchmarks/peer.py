"""A peer: a process that runs jobs on command, in an environment of its own; see `peers/protocol.py`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import environments

OURS = "jupyter_mlws"
PEERS = (OURS, *environments.PACKAGES)
_FILES = Path(__file__).resolve().parent / "peers"


class Peer:
    """One of `PEERS`, which runs from now on until `close`."""

    def __init__(self, name: str) -> None:
        python = Path(sys.executable) if name == OURS else environments.ensure(name)
        environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.name = name
        self._process = subprocess.Popen(
            [python, _FILES / f"{name}_peer.py"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self._read()

    def measure(self, name: str, **arguments: int) -> float:
        """Return what one measure took in seconds. Raises `RuntimeError` with the peer's own words."""
        return float(self.ask(name, **arguments))

    def series(self, name: str, **arguments: int) -> list[float]:
        """Return what each of several in a row took in seconds. Raises as `measure` does."""
        return [float(each) for each in self.ask(name, **arguments)]

    def ask(self, name: str, **arguments: int) -> Any:
        """Return what a measure gives, as JSON holds it. Raises as `measure` does."""
        assert self._process.stdin is not None
        print(json.dumps({"measure": name, **arguments}), file=self._process.stdin)
        answer = self._read()
        if "error" in answer:
            raise RuntimeError(f"{self.name}, {name}: {answer['error']}")
        return answer["measured"]

    def close(self) -> None:
        """Let the peer end what it started, and wait for it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended without an answer; run its file in peers/ to see why")
        answer: dict[str, Any] = json.loads(line)
        return answer
