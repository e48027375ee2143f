"""Asks a fork server for processes, and starts it where there is none. Linux alone has what it takes."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_mlws.forking.packets import receive, send

_SERVER = Path(__file__).with_name("fork_server.py")
_ANSWER_SECONDS = 10.0
_SHORT = 85  # bytes: a socket's whole path holds 108
_MODE = 0o700
# What an interpreter or a library reads once, at its start: a server serves those who agree with it in these.
_READ_AT_START = (
    *("PYTHON", "IPYTHON", "LD_", "OMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "NUMBA_", "MALLOC_"),
    *("VIRTUAL_ENV", "CONDA_", "CUDA_HOME", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "XDG_"),
    *("JUPYTER_CONFIG", "JUPYTER_DATA"),
)
_PREFIX = "fork-"
_TRIES, _TRY_SECONDS = 100, 0.02
_DESCRIPTORS = 3  # of a spare: leash, order, words


@dataclass(frozen=True)
class Recipe:
    """What a fork server is to be: its interpreter, what it imports, and what its children run."""

    executable: str
    """The Python whose processes it forks."""
    entry: str
    """What a child runs: `module:function` or `/path/file.py:function`."""
    preload: tuple[str, ...] = ()
    """Modules to import; those that are not installed are left out."""
    helpers: tuple[tuple[str, str], ...] = ()
    """Names of further modules, and the files that they are made of."""
    spares: int = 0
    """Prepared children that wait."""
    ahead: int = 0
    """Children that wait to be spawned."""
    idle: float = 300.0
    """Seconds without a request after which it ends."""


@dataclass
class Taken:
    """A prepared child that is ours now. Whoever has it closes it, and then nothing of it is left."""

    pid: int
    keeper: int
    """Its parent, which ends all that descends from the child when the leash is cut."""
    place: Path
    """The folder of its sockets; the keeper removes it."""
    leash: socket.socket
    """Tells how the child ended: a packet `{"ended": code}`, negative for a signal; and, when this end was
    closed for writing, `{"gone": true}` once nothing of it is left."""
    order: socket.socket
    words: int
    """Reading end of a pipe: what it writes to its standard output and error."""

    def begin(self, *, cwd: Path, environment: Mapping[str, str]) -> None:
        """Let it run in the folder `cwd` with these variables alone. Raises OSError if it cannot."""
        with self.order as order:
            order.settimeout(_ANSWER_SECONDS)
            send(order, {"cwd": str(cwd), "environment": dict(environment)})
            try:
                receive(order)
            except ConnectionResetError as error:
                raise ConnectionResetError(f"The process could not run in {str(cwd)!r}.") from error

    def close(self) -> None:
        """Cut the leash without waiting for what that brings about."""
        self.order.close()
        self.leash.close()
        with contextlib.suppress(OSError):
            os.close(self.words)
        self.words = -1


class ForkServer:
    """The fork server of a recipe, for one set of the variables that are read at a start."""

    def __init__(self, root: Path, recipe: Recipe, environment: Mapping[str, str]) -> None:
        """Nothing is started. `root` is a folder of this user alone; its path is short."""
        self._recipe = recipe
        self._environment = dict(environment)
        self.folder = root / f"{_PREFIX}{_key(recipe, environment)}"

    @staticmethod
    def supported(root: Path) -> bool:
        """Whether this system can fork safely, and sockets can lie in `root`."""
        return sys.platform == "linux" and len(os.fsencode(root)) <= _SHORT

    def start(self) -> None:
        """Start the server, in a session of its own, unless there is one. It is of use some seconds later.

        Raises OSError, CalledProcessError.
        """
        if not _let_go(self.folder / "lock", tries=1):
            return  # it is there, or imports what it is for
        self.folder.mkdir(mode=_MODE, parents=True, exist_ok=True)
        settings = asdict(self._recipe)
        command = [settings.pop("executable"), "-Xfrozen_modules=off", str(_SERVER), str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            # By a shell that ends at once, so that it is nobody's child: whoever starts it may end, reap or
            # adopt what it likes, and the server's children are not among it.
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command, json.dumps(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self.folder,
                start_new_session=True,
                check=True,
            )

    def spawn(self, arguments: Any, *, cwd: Path, environment: Mapping[str, str], output: int) -> int | None:
        """Fork a process that runs the entry with `arguments`, and writes to the descriptor `output`.

        Return its pid; None where no server answers.
        """
        request = {"do": "spawn", "arguments": arguments, "cwd": str(cwd), "environment": dict(environment)}
        answer, _ = _ask(self.folder, request, [output])
        return None if answer is None else answer.get("pid")

    def take(self) -> Taken | None:
        """Return a prepared child; None where no server answers, or it cannot prepare one."""
        answer, descriptors = _ask(self.folder, {"do": "take"}, [])
        if answer is None or len(descriptors) != _DESCRIPTORS:
            for descriptor in descriptors:
                os.close(descriptor)
            return None
        leash, order, words = descriptors
        return Taken(
            pid=answer["pid"],
            keeper=answer["keeper"],
            place=Path(answer["place"]),
            leash=socket.socket(fileno=leash),
            order=socket.socket(fileno=order),
            words=words,
        )


def end_servers(root: Path) -> None:
    """Have all fork servers in `root` go, and remove what they leave. What they have forked runs on."""
    for folder in root.glob(f"{_PREFIX}*"):
        answer, _ = _ask(folder, {"do": "end"}, [])
        if answer is None:
            _terminate(folder / "lock")  # it still imports what it is for
        if _let_go(folder / "lock"):
            shutil.rmtree(folder, ignore_errors=True)


def _terminate(lock: Path) -> None:
    """Ask the process that holds a lock to end: its pid is in the file."""
    with contextlib.suppress(OSError, ValueError):
        if not _let_go(lock, tries=1):
            os.kill(int(lock.read_text()), signal.SIGTERM)


def _let_go(lock: Path, *, tries: int = _TRIES) -> bool:
    """Whether no process holds a lock, or lets it go soon."""
    try:
        stream = lock.open("r+b")
    except OSError:
        return True
    with stream:
        for left in reversed(range(tries)):
            try:
                fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if left:
                    time.sleep(_TRY_SECONDS)
            else:
                return True
    return False


def _ask(
    folder: Path, request: dict[str, Any], descriptors: list[int]
) -> tuple[dict[str, Any] | None, list[int]]:
    """Return the answer of the server in `folder` and its descriptors; None where none answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
            asking.settimeout(_ANSWER_SECONDS)
            asking.connect(str(folder / "s"))
            send(asking, request, descriptors)
            return receive(asking)
    except OSError:
        return None, []


def _key(recipe: Recipe, environment: Mapping[str, str]) -> str:
    read = sorted((name, value) for name, value in environment.items() if name.startswith(_READ_AT_START))
    files = [*sorted(_SERVER.parent.glob("*.py")), *(Path(path) for _, path in recipe.helpers)]
    content = json.dumps([asdict(recipe), read, [file.stat().st_mtime_ns for file in files]])
    return hashlib.sha256(content.encode()).hexdigest()[:12]
