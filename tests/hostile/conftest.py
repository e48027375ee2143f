"""One server for each module, and every door to it: a notebook, the command line, Python, REST."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import jupyter_mlws as mlws
from tests.fixtures.place import Place
from tests.fixtures.servers import RunningServer
from tests.notebook_kernel import Notebook, kernel_beside

CommandLine = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def place_of(jupyter_server: RunningServer) -> Place:
    """Where the module's server lives, with kernelspecs of all bad kinds."""
    place = jupyter_server.place
    python = f"{sys.executable} -m ipykernel_launcher -f {{connection_file}}"
    kernelspec(place, "dies", ["/bin/sh", "-c", "echo 'libfoo.so is missing' >&2; exit 7"])
    kernelspec(place, "gone", ["/no/such/python", *python.split()[1:]])
    unreadable = place.data / "kernels" / "unreadable"
    unreadable.mkdir(parents=True)
    (unreadable / "kernel.json").write_text("{nope")
    return place


def kernelspec(place: Place, name: str, argv: list[str]) -> None:
    folder = place.data / "kernels" / name
    folder.mkdir(parents=True)
    described = {"argv": argv, "display_name": name, "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(described))


@pytest.fixture(scope="module")
def notebook(place_of: Place) -> Iterator[Notebook]:
    """A kernel beside the module's server, with the magics loaded."""
    with kernel_beside(place_of) as made:
        yield made


@pytest.fixture
def command_line(place_of: Place) -> CommandLine:
    """`command_line("job", "list")`: `jupyter mlws job list` in the folder of the notebooks."""

    def run(*words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "jupyter_mlws", *words],
            cwd=place_of.folder,
            env={**place_of.environ(), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def ws(jupyter_server: RunningServer, place_of: Place) -> Iterator[mlws.Workspace]:
    """The Python client."""
    with mlws.connect(url=jupyter_server.url, token=jupyter_server.token) as workspace:
        yield workspace


class Memory:
    """The largest memory of a process while the block ran, in bytes beyond what it had before."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self.grown = 0

    def __enter__(self) -> Memory:
        before = self._process.memory_info().rss

        def look() -> None:
            while not self._stop.wait(0.05):
                self.grown = max(self.grown, self._process.memory_info().rss - before)

        self._thread = threading.Thread(target=look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def memory(jupyter_server: RunningServer) -> Memory:
    """`with memory: ...`, then `memory.grown`: of the server."""
    return Memory(jupyter_server.process.pid)


def files_of(place: Place) -> set[Path]:
    """What a job could have written outside the workspace: beside the notebooks, at home, beside both."""
    inside = (place.workspace, place.runtime, place.jupyter_runtime, place.home / ".npm")
    # What Jupyter, IPython and libraries keep for themselves is theirs.
    inside += tuple(place.root / name for name in ("ipython", "cache", "mpl", "config", "lab", "share"))
    return {
        path
        for path in place.root.rglob("*")
        if not any(path.is_relative_to(folder) for folder in inside)
        and path.suffix not in (".log", ".pyc")
        and path.name != "__pycache__"
    }
