"""What the driver `remote` puts into a Python kernel. Standard library alone, Python 3.9 or later.

A websocket loses what was under way when it is cut, and a Jupyter server drops output above a rate. So the
kernel numbers what it sends and keeps it until the worker has it; what did not arrive is fetched over the
control channel, which answers while a cell runs and has no limit of rate. On the same channel files go
there and back, and the worker learns that the kernel lives and what it uses.

Its source is exec'd and becomes the module `_mlws_remote`, after those of its parts, such as
`_mlws_remote_kept`: no name of ours is in the user's namespace.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from typing import Any

_ROOM = 16 << 20  # bytes that wait for a worker that is there; beyond, who prints waits
_AWAY = 10.0  # seconds without a word from the worker until it counts as away
_HINT_SECONDS = 0.05
LOGGED = "logged"  # the folder of files that were logged, until the worker has them
_ALWAYS = ("status", "execute_input", "execute_reply", "kernel_info_reply", "input_request")

_numbers = itertools.count()


class Remote:
    """The kernel's end of the line to the worker."""

    def __init__(self, kernel: Any, nonce: str) -> None:
        self.nonce = nonce
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="mlws-"))
        self._kernel = kernel
        self._pid = os.getpid()
        self._kept = _part("kept").Kept()
        self._budget = _part("kept").Budget(time.monotonic())
        self._files = _part("files").Files(self.folder)
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
        folder = self._files.path(LOGGED)
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
            name = content["do"]
            do = getattr(self, "_do_" + name, None) or getattr(self._files, "do_" + name)
            answer, sent = do(content, buffers)
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
        return _part("machine").use(), []

    def _do_packages(self, content: Any, buffers: Any) -> Any:
        return {"packages": _part("machine").distributions()}, []

    def _do_die(self, content: Any, buffers: Any) -> Any:
        """End all processes at once."""
        self.leave()
        _part("machine").die()
        return {}, []

    def leave(self) -> None:
        """End the children that are left, and remove the folder of this job."""
        if os.getpid() != self._pid:
            return
        _part("machine").end_children()
        with contextlib.suppress(OSError):
            os.chdir("/")
        shutil.rmtree(self.folder, ignore_errors=True)

    def account(self) -> str:
        """Return where and what the kernel is, as JSON, for a worker that listens from now on."""
        with self._lock:
            self._heard_at = time.monotonic()
            following = self._kept.next
        return json.dumps(
            {
                "pid": self._pid,
                "folder": os.path.join(self.folder, "work"),
                "python": "{}.{}.{}".format(*sys.version_info[:3]),
                "executable": sys.executable,
                "session": self._kernel.session.session,
                "next": following,
            }
        )


def install(nonce: str, environment: dict[str, str]) -> str:
    """Prepare the kernel, once; return its account."""
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
    return str(remote.account())


def adopt(nonce: str, environment: dict[str, str]) -> str:
    """Give a kernel that was prepared and waited to the worker that asks; return its account.

    Raises KeyError in a kernel that began anew meanwhile, and PermissionError in one of another worker's.
    """
    remote = vars(sys.modules["_mlws_remote"])["remote"]
    if remote.nonce != nonce:
        raise PermissionError("another worker's kernel")
    os.environ.update(environment)
    return str(remote.account())


def _part(name: str) -> Any:
    return sys.modules["_mlws_remote_" + name]
