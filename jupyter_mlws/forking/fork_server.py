"""A fork server: imports much once, and forks processes that have it at once. Standard library alone.

Started by path with the interpreter whose processes it forks, Python 3.9 or later, in a session of its own:

    python fork_server.py FOLDER CONFIGURATION

FOLDER holds the socket `s`, the lock `lock` and the log; beside it each spare has a folder of its own.
CONFIGURATION is JSON: `entry` (what a child runs, as `module:function` or `/path/file.py:function`),
`preload` (modules; what is not there is left out), `helpers` (names and files that become modules of these
names; their `rehearse()` is called, too), `spares` (how many prepared children wait), `ahead` (how many wait
that are forked and no more) and `idle` (seconds without a request after which it ends).

It forks in two ways. `spawn` has a child call `entry(arguments)`: one that waits (see `ahead.py`) and has
called `warm_up()` of the entry's module meanwhile, or a new one. `take` hands out a spare: a child that was
forked before, behind a keeper (see `keeper.py`), has called `prepare(folder, rehearsed)` of that module
with what its `rehearse()` gave the server once, and runs `entry(prepared, order)`; its `Order` brings the
variables and the folder it is to run in. `end` has the server go. A request and its answer are one packet of
JSON each; descriptors travel beside them. The server has one thread, opens no ZMQ context and runs no event
loop, so a fork of it is a clean one.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK = 5.0  # seconds between two looks at the clock and the packages
_FAILURES = 3  # in a row, after which no spare is forked before somebody asks for one


class Server:
    """The socket, the spares, and the children that are not reaped yet."""

    def __init__(self, folder: Path, configuration: dict[str, Any]) -> None:
        self.folder = folder
        self.spares_wanted = int(configuration.get("spares", 0))
        self.ahead_wanted = int(configuration.get("ahead", 0))
        self.idle = float(configuration.get("idle", 300.0))
        self.entry: str = configuration["entry"]
        self.spares: list[Any] = []
        self.waiting: list[socket.socket] = []
        """Clients that wait for a spare which is not ready."""
        self.failures = 0
        self.unable = False
        """Whether no child can ever be prepared."""
        self.ended = False
        self.asked_at = time.monotonic()
        self.child, self.packets, self.pacing = map(_beside, ("child.py", "packets.py", "pace.py"))
        self.pace = self.pacing.Pace()
        self.listener = self.packets.bound(folder / "s")

    def prepare(self, preload: list[str], helpers: dict[str, str]) -> None:
        """Import what the children need, and keep the garbage collector from touching it ever again."""
        # Of the path as it is now: a package that adds to it has not made everything stale.
        self.path = tuple(sys.path)
        self.stamp = stamp(self.path)
        for name in preload:
            # Whatever a package does at its import, the others are still worth having.
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        for name, path in helpers.items():
            with contextlib.suppress(Exception):
                getattr(_load(Path(path), name), "rehearse", lambda: None)()
        module, run = _module_of(self.entry)
        rehearsed = None
        try:
            if hasattr(module, "rehearse"):
                rehearsed = module.rehearse()
        except Exception as error:
            # It stays, so that not each job starts another one that cannot do it either.
            print(f"Nothing can be prepared here: {error!r}", file=sys.stderr, flush=True)
            self.unable = True
        self.ahead = _beside("ahead.py").Ahead(
            child=self.child, packets=self.packets, warm_up=getattr(module, "warm_up", lambda: None), run=run
        )
        self.maker = _beside("spare.py").Maker(
            child=self.child,
            keeper=_beside("keeper.py"),
            packets=self.packets,
            within=self.folder.parent,
            prepare=lambda place: module.prepare(place, rehearsed),
            run=run,
        )
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        """Answer until nothing was asked for a while, or the packages have changed."""
        woken, waker = os.pipe()
        for descriptor in (woken, waker):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.asked_at = time.monotonic()  # importing took its time
        while not self._over():
            self._refill()
            sources: list[Any] = [self.listener, woken, *(spare.leash for spare in self.spares)]
            sources += [spare.order for spare in self.spares if not spare.ready]
            ready, _, _ = select.select(sources, [], [], self._patience())
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
            self._reap()
            for spare in list(self.spares):
                if spare.leash in ready:
                    # Its keeper says nothing unless it has ended.
                    self._failed(spare)
                elif spare.order in ready:
                    self._hear(spare)
            if self.listener in ready:
                self._accept()
            self._hand_out()

    def close(self) -> None:
        """Let the spares go: a keeper whose leash is cut ends what it keeps."""
        with contextlib.suppress(OSError):
            (self.folder / "s").unlink()
        self.ahead.close()
        for spare in self.spares:
            spare.close()

    def _over(self) -> bool:
        if self.waiting:
            return False
        return self.ended or time.monotonic() - self.asked_at > self.idle or stamp(self.path) != self.stamp

    def _refill(self) -> None:
        # For whom waits at once; else one at a time.
        preparing = sum(not spare.ready for spare in self.spares)
        rests = preparing > 0 or self._rest(len(self.spares)) > 0
        wanted = len(self.waiting) if rests else max(len(self.waiting), len(self.spares) + 1)
        if self.unable:
            wanted = 0
        # A spare that cannot be prepared would be forked for ever.
        while len(self.spares) < min(wanted, self._most()) and self.failures < _FAILURES:
            spare = self.maker.fork()
            if spare is None:
                self._failed_once()
                return
            self.spares.append(spare)
        lacks = len(self.ahead) < self.ahead_wanted and self.failures < _FAILURES
        if lacks and self._rest(len(self.ahead)) <= 0 and not self.ahead.fork():
            self.failures += 1

    def _rest(self, left: int) -> float:
        return float(self.pace.rest(time.monotonic(), left=left))

    def _patience(self) -> float:
        """Return how long to wait for requests before there is something to do without one."""
        lacking = [
            have
            for have, wanted in ((len(self.spares), self.spares_wanted), (len(self.ahead), self.ahead_wanted))
            if have < wanted and self.failures < _FAILURES and not self.unable
        ]
        # At least so long: one may just be prepared, which is heard of.
        return min([_TICK, *(max(float(self.pacing.QUIET), self._rest(have)) for have in lacking)])

    def _most(self) -> int:
        return max(self.spares_wanted, len(self.waiting))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self.listener.accept()
            with contextlib.suppress(OSError, ValueError, KeyError):
                if not self.packets.is_ours(client):
                    client.close()
                    return
                client.settimeout(5.0)
                request, descriptors = self.packets.receive(client)
                try:
                    if self._answer(client, request, descriptors):
                        return
                finally:
                    for descriptor in descriptors:
                        os.close(descriptor)
            client.close()

    def _answer(self, client: socket.socket, request: dict[str, Any], descriptors: list[int]) -> bool:
        """Do what is asked; True when the answer comes later."""
        self.asked_at = time.monotonic()
        if stamp(self.path) != self.stamp:
            self.packets.send(client, {"stale": True})
        elif request["do"] == "end":
            self.ended = True
            self.packets.send(client, {})
        elif request["do"] == "spawn":
            # Who did not wait for it has started a process by other means.
            if not self.packets.hung_up(client):
                self.packets.send(client, {"pid": self._spawn(request, descriptors)})
        elif request["do"] == "take" and self.unable:
            self.packets.send(client, {"error": "no process can be prepared"})
        elif request["do"] == "take":
            self.failures = 0
            self.waiting.append(client)
            return True
        return False

    def _spawn(self, request: dict[str, Any], descriptors: list[int]) -> int | None:
        self.failures = 0
        self.pace.taken(time.monotonic())
        pid: int | None = self.ahead.give(request, descriptors)
        if pid is None and self.ahead.fork(warm=False):
            pid = self.ahead.give(request, descriptors)
        return pid

    def _hear(self, spare: Any) -> None:
        """A spare is ready, or it failed."""
        try:
            spare.about, _ = self.packets.receive(spare.order)
        except (OSError, ValueError):
            self._failed(spare)
            return
        spare.ready = True
        self.failures = 0

    def _failed(self, spare: Any) -> None:
        self._drop(spare)
        self._failed_once()

    def _failed_once(self) -> None:
        """Tell those who wait, once it has failed too often."""
        self.failures += 1
        while self.waiting and self.failures >= _FAILURES:
            client = self.waiting.pop(0)
            with contextlib.suppress(OSError):
                self.packets.send(client, {"error": "a process could not be prepared"})
            client.close()

    def _hand_out(self) -> None:
        # The last that was made first: its memory is in the processor's caches.
        for spare in [one for one in reversed(self.spares) if one.ready]:
            if not self.waiting:
                return
            client = self.waiting.pop(0)
            self.spares.remove(spare)
            with contextlib.suppress(OSError):
                self.packets.send(
                    client,
                    {**spare.about, "keeper": spare.pid},
                    [spare.leash.fileno(), spare.order.fileno(), spare.words],
                )
            client.close()
            # If the client is gone, its copies are, too, and the leash is cut.
            spare.close()
            self.pace.taken(time.monotonic())

    def _drop(self, spare: Any) -> None:
        self.spares.remove(spare)
        spare.close()
        if spare.about:
            # Its keeper removes it, unless that is what was killed.
            shutil.rmtree(spare.about["place"], ignore_errors=True)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if self.ahead.ended(pid):
                    self.failures += 1
                for spare in [one for one in self.spares if one.pid == pid]:
                    self._drop(spare)


def stamp(path: tuple[str, ...]) -> tuple[Any, ...]:
    """What changes when a package is installed or removed: the times of the folders that hold packages."""
    found = []
    for entry in path:
        try:
            found.append((entry, Path(entry).stat().st_mtime_ns if "-packages" in entry else 0))
        except OSError:
            found.append((entry, 0))
    return tuple(found)


def _module_of(entry: str) -> tuple[Any, Callable[..., Any]]:
    """Return the module of an entry, and the entry itself."""
    name, _, function = entry.rpartition(":")
    module = _file(name) if name.endswith(".py") else importlib.import_module(name)
    return module, getattr(module, function)


def _beside(name: str) -> Any:
    return _file(str(Path(__file__).with_name(name)))


def _file(path: str) -> Any:
    return _load(Path(path), "_mlws_" + Path(path).stem)


def _load(path: Path, name: str) -> Any:
    """Import a file under a name that nobody else has."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _lock(path: Path) -> bool:
    """Be the only one; a server that is on its way out is waited for."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(20):
        try:
            # Of the process and not of the descriptor: no child inherits it.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.1)
            continue
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return True
    return False


def main() -> int:
    """Serve, if nobody serves in this folder."""
    folder, configuration = Path(sys.argv[1]), json.loads(sys.argv[2])
    del sys.path[0]  # this file's folder
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    if not _lock(folder / "lock"):
        return 0
    server = Server(folder, configuration)
    server.prepare(list(configuration.get("preload", ())), dict(configuration.get("helpers", {})))
    server.listener.listen(128)
    try:
        server.serve()
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
