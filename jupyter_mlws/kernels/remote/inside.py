"""What the driver `remote` puts into a Python kernel. One file, standard library alone, Python 3.9 or later.

A websocket loses what was under way when it is cut, and a Jupyter server drops output above a rate. So the
kernel numbers what it sends and keeps it until the worker has it; what did not arrive is fetched over the
control channel, which answers while a cell runs and has no limit of rate. On the same channel files go
there and back, and the worker learns that the kernel lives and what it uses.

Its source is exec'd and becomes the module `_mlws_remote`: no name of ours is in the user's namespace.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from typing import Any

_KEPT = 64 << 20  # bytes that wait for a worker that is away; beyond, the oldest go, and it is told
_ROOM = 16 << 20  # bytes that wait for a worker that is there; beyond, who prints waits
_PIECE = 1 << 20  # bytes of one answer
_AWAY = 10.0  # seconds without a word from the worker until it counts as away
_LARGEST = 128 << 10  # bytes of a message that is sent unasked
# Half of what a Jupyter server lets through by default, so that it never has to drop anything.
_BYTES_PER_SECOND, _MESSAGES_PER_SECOND, _BURST_SECONDS = 400_000, 400, 2.0
_HINT_SECONDS = 0.05
LOGGED = "logged"  # the folder of files that were logged, until the worker has them
_ALWAYS = ("status", "execute_input", "execute_reply", "kernel_info_reply", "input_request")

_numbers = itertools.count()


class Budget:
    """How much may be sent unasked: so many bytes and messages a second, with a short burst."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._bytes = _BYTES_PER_SECOND * _BURST_SECONDS
        self._messages = _MESSAGES_PER_SECOND * _BURST_SECONDS

    def take(self, size: int, now: float) -> bool:
        """Take a message of `size` bytes off, if there is room for it. `now` is in seconds."""
        passed, self._at = now - self._at, now
        self._bytes = min(self._bytes + passed * _BYTES_PER_SECOND, _BYTES_PER_SECOND * _BURST_SECONDS)
        most = _MESSAGES_PER_SECOND * _BURST_SECONDS
        self._messages = min(self._messages + passed * _MESSAGES_PER_SECOND, most)
        if size > min(_LARGEST, self._bytes) or self._messages < 1:
            return False
        self._bytes -= size
        self._messages -= 1
        return True


class Kept:
    """Numbered messages, from the first that the worker has not said to have."""

    def __init__(self) -> None:
        self.first = 0
        self.size = 0
        self._messages: deque[tuple[str, list[bytes], int]] = deque()

    @property
    def next(self) -> int:
        """Return the number of the message that comes next."""
        return self.first + len(self._messages)

    def add(self, channel: str, frames: list[bytes]) -> None:
        """Keep a message; the oldest make room for it where there is too much."""
        size = sum(map(len, frames)) + 100
        self._messages.append((channel, frames, size))
        self.size += size
        while self.size > _KEPT and len(self._messages) > 1:
            self._forget()

    def heard(self, number: int) -> None:
        """Forget all before `number`: the worker has them."""
        while self._messages and self.first < number:
            self._forget()

    def piece(self, start: int) -> tuple[int, list[str], list[list[bytes]]]:
        """Return messages from `start` on, at least one if there is one: first number, channels, frames."""
        begin = max(start, self.first)
        channels: list[str] = []
        pieces: list[list[bytes]] = []
        total = 0
        for index in range(begin - self.first, len(self._messages)):
            channel, frames, size = self._messages[index]
            if pieces and total + size > _PIECE:
                break
            channels.append(channel)
            pieces.append(frames)
            total += size
        return begin, channels, pieces

    def _forget(self) -> None:
        self.size -= self._messages.popleft()[2]
        self.first += 1


class Remote:
    """The kernel's end of the line to the worker."""

    def __init__(self, kernel: Any, nonce: str) -> None:
        self.nonce = nonce
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="mlws-"))
        self._kernel = kernel
        self._pid = os.getpid()
        self._kept = Kept()
        self._budget = Budget(time.monotonic())
        self._lock = threading.RLock()
        self._room = threading.Condition(self._lock)
        self._heard_at = time.monotonic()
        self._hinted_at = 0.0
        self._seen: set[str] = set()
        self._send = kernel.session.send
        self._streams: set[Any] = set()

    def begin(self) -> None:
        """Number what the kernel sends from now on, and answer the worker."""
        kernel = self._kernel
        vars(kernel.session)["send"] = self._number
        kernel.control_handlers["mlws_request"] = self._answer
        self._should_handle = kernel.should_handle
        kernel.should_handle = self._once
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "pub_thread"):
                self._streams.add(stream.pub_thread.thread)
                vars(stream)["write"] = self._patiently(stream.write)

    # --- where `tracking` puts what is logged, see tracking/spool.py: the worker appends it to the spool

    def append(self, record: bytes, *, urgent: bool = False) -> None:
        """Hand the worker a record: once, and in order, whatever becomes of the connection."""
        self._hand_over(record, {"urgent": urgent})

    def keep(self, path: str) -> str:
        """Copy a file to where the worker finds it when the record that names it comes."""
        folder = self._path(LOGGED)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        name = f"{time.time_ns()}-{os.getpid()}-{next(_numbers)}"
        target = os.path.join(folder, name)
        try:
            shutil.copyfile(path, target)
            self._hand_over(b"", {"file": name, "size": os.path.getsize(target)})
        except BaseException:
            if os.path.exists(target):
                os.unlink(target)
            raise
        return name

    def flush(self) -> None:
        """Say that MLflow cannot be asked from here."""
        raise ConnectionError("it is on the machine that the job was submitted from")

    def _hand_over(self, data: bytes, about: dict[str, Any]) -> None:
        if os.getpid() != self._pid:
            raise OSError("a process that the job forked cannot log from another machine")
        with self._lock:
            self._kept.add("record", [bytes(data), json.dumps(about).encode()])
            self._hint(self._kernel.iopub_socket, None)
        self._wait_for_room()

    # --- what the kernel sends

    def _number(self, stream: Any, msg_or_type: Any, *arguments: Any, **keywords: Any) -> Any:
        """Stand for `Session.send`, whose arguments it takes."""
        session = self._kernel.session
        channel = None if os.getpid() != self._pid else self._channel(msg_or_type)
        if channel is None:
            return self._send(stream, msg_or_type, *arguments, **keywords)
        names = ("content", "parent", "ident", "buffers", "track", "header", "metadata")
        given = {**dict(zip(names, arguments)), **keywords}
        message = msg_or_type
        if isinstance(message, str):
            message = session.msg(
                message,
                content=given.get("content"),
                parent=given.get("parent"),
                header=given.get("header"),
                metadata=given.get("metadata"),
            )
        parent = (message.get("parent_header") or {}).get("msg_type")
        if parent == "mlws_request":
            return self._send(stream, message, ident=given.get("ident"), buffers=given.get("buffers"))
        buffers = [bytes(each) for each in given.get("buffers") or message.get("buffers") or []]
        kind = message["header"]["msg_type"]
        with self._lock:
            message["metadata"] = {**(message.get("metadata") or {}), "mlws": self._kept.next}
            parts = session.serialize(message, given.get("ident")) + buffers
            frames = [bytes(part) for part in parts[-4 - len(buffers) :]]
            self._kept.add(channel, frames)
            fits = self._budget.take(sum(map(len, frames)), time.monotonic())
            if stream is not None and (fits or kind in _ALWAYS):
                stream.send_multipart(parts)
            elif channel == "iopub":
                self._hint(stream, given.get("ident"))
        self._wait_for_room()
        return message

    def _hint(self, stream: Any, ident: Any) -> None:
        """Have the worker fetch what is kept, unless it was told just now."""
        if stream is not None and time.monotonic() - self._hinted_at > _HINT_SECONDS:
            self._hinted_at = time.monotonic()
            self._send(stream, "mlws_hint", {"next": self._kept.next}, ident=ident)

    def _channel(self, msg_or_type: Any) -> str | None:
        kind = msg_or_type if isinstance(msg_or_type, str) else msg_or_type["header"]["msg_type"]
        thread = self._kernel.control_thread
        if kind.startswith("mlws_") or (thread is not None and threading.current_thread() is thread):
            return None
        if kind == "input_request":
            return "stdin"
        return "shell" if kind.endswith("_reply") else "iopub"

    def _patiently(self, write: Any) -> Any:
        def write_and_wait(text: Any) -> Any:
            written = write(text)
            if self._kept.size > _ROOM:
                self._wait_for_room()
            return written

        return write_and_wait

    def _wait_for_room(self) -> None:
        """Let whoever prints wait for a worker that is there and has not fetched what came before."""
        thread = threading.current_thread()
        if self._kept.size <= _ROOM or os.getpid() != self._pid or thread in self._streams:
            return
        if thread is self._kernel.control_thread:
            return
        with self._room:
            while self._kept.size > _ROOM and time.monotonic() - self._heard_at < _AWAY:
                self._room.wait(0.2)

    # --- what the worker asks

    def _once(self, stream: Any, message: Any, idents: Any) -> Any:
        """Let a request through that was not seen before: after a cut the worker sends again what it sent."""
        identity = message["header"]["msg_id"]
        if identity in self._seen:
            return False
        self._seen.add(identity)
        return self._should_handle(stream, message, idents)

    def _answer(self, stream: Any, idents: Any, message: Any) -> None:
        content = message["content"]
        buffers = message.get("buffers") or []
        sent: list[bytes] = []
        try:
            if content.get("nonce") != self.nonce:
                raise PermissionError("another worker's kernel")
            self._hear(int(content.get("heard", 0)))
            answer, sent = getattr(self, "_do_" + content["do"])(content, buffers)
        except OSError as error:
            answer = {"error": type(error).__name__, "number": error.errno, "text": str(error)}
        except Exception as error:
            answer = {"error": type(error).__name__, "number": None, "text": str(error)}
        with self._lock:
            answer["next"] = self._kept.next
        self._send(stream, "mlws_reply", answer, message, idents, buffers=sent)

    def _hear(self, number: int) -> None:
        with self._room:
            self._heard_at = time.monotonic()
            self._kept.heard(number)
            self._room.notify_all()

    def _do_pull(self, content: Any, buffers: Any) -> Any:
        with self._lock:
            first, channels, pieces = self._kept.piece(int(content["start"]))
        sent = [frame for frames in pieces for frame in frames]
        return {"first": first, "channels": channels, "frames": [len(frames) for frames in pieces]}, sent

    def _do_look(self, content: Any, buffers: Any) -> Any:
        """What the processes use: bytes of memory, seconds of CPU."""
        memory = cpu = 0.0
        try:
            import psutil

            own = psutil.Process()
            for process in [own, *own.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    cpu += times.user + times.system
                    cpu += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                    memory += process.memory_info().rss
        except ImportError:
            return {"memory": None, "cpu": None}, []
        return {"memory": int(memory), "cpu": round(cpu, 2)}, []

    def _do_write(self, content: Any, buffers: Any) -> Any:
        """Write a piece of a file; a file has its whole size from the first piece on."""
        path = self._path(content["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, int(content.get("mode", 0o600)))
        try:
            data = b"".join(bytes(each) for each in buffers)
            os.lseek(descriptor, int(content["at"]), os.SEEK_SET)
            while data:
                data = data[os.write(descriptor, data) :]
            if content.get("last"):
                os.ftruncate(descriptor, int(content["size"]))
        finally:
            os.close(descriptor)
        return {}, []

    def _do_link(self, content: Any, buffers: Any) -> Any:
        path = self._path(content["path"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.symlink(content["to"], path)
        return {}, []

    def _do_folder(self, content: Any, buffers: Any) -> Any:
        path = self._path(content["path"])
        os.makedirs(path, mode=0o700, exist_ok=True)
        return {"path": path}, []

    def _do_list(self, content: Any, buffers: Any) -> Any:
        """List the files of a folder, with their sizes in bytes."""
        root = self._path(content["path"])
        found = []
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                found.append([os.path.relpath(path, root), os.path.getsize(path)])
        return {"files": sorted(found)}, []

    def _do_read(self, content: Any, buffers: Any) -> Any:
        with open(self._path(content["path"]), "rb") as stream:
            stream.seek(int(content["at"]))
            return {}, [stream.read(min(int(content["size"]), _PIECE))]

    def _do_forget(self, content: Any, buffers: Any) -> Any:
        path = self._path(content["path"])
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        return {}, []

    def _do_packages(self, content: Any, buffers: Any) -> Any:
        return {"packages": distributions()}, []

    def _do_die(self, content: Any, buffers: Any) -> Any:
        """End all processes at once."""
        self.leave()
        if os.getpgrp() == self._pid:
            os.killpg(self._pid, signal.SIGKILL)
        os.kill(self._pid, signal.SIGKILL)
        return {}, []

    def leave(self) -> None:
        """End the children that are left, and remove the folder of this job."""
        if os.getpid() != self._pid:
            return
        with contextlib.suppress(Exception):
            import psutil

            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
        with contextlib.suppress(OSError):
            os.chdir("/")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, path: str) -> str:
        full = os.path.normpath(os.path.join(self.folder, path))
        if os.path.commonpath([full, self.folder]) != self.folder:
            raise PermissionError("outside of the job's folder: " + path)
        return full


def install(nonce: str, environment: dict[str, str]) -> str:
    """Prepare the kernel, once; return where and what it is, as JSON."""
    kernel = sys.modules["IPython"].get_ipython().kernel
    remote = vars(sys.modules["_mlws_remote"]).get("remote")
    if remote is None or remote.nonce != nonce:
        os.environ.update(environment)
        remote = Remote(kernel, nonce)
        vars(sys.modules["_mlws_remote"])["remote"] = remote
        work = os.path.join(remote.folder, "work")
        os.mkdir(work)
        os.chdir(work)
        import atexit

        atexit.register(remote.leave)
        remote.begin()
    return json.dumps(
        {
            "pid": os.getpid(),
            "folder": os.path.join(remote.folder, "work"),
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "executable": sys.executable,
            "session": kernel.session.session,
        }
    )


def distributions() -> str:
    """Return the installed distributions as JSON: name, version and origin (PEP 610) of each."""
    from importlib import metadata

    found = {}
    for each in metadata.distributions():
        with contextlib.suppress(Exception):
            name = each.metadata["Name"]
            if name and name not in found:
                found[name] = [each.version, each.read_text("direct_url.json")]
    return json.dumps(found)
