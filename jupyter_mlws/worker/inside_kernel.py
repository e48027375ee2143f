"""What a worker puts into a Python kernel before the user's code. One file, standard library alone.

Its source is exec'd in kernels that do not have this package, Python 3.9 or later; it becomes the module
`_mlws_inside`, so that no name of ours is in the user's namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = 256 * 1024  # characters in one message of a stream
_TRACKING = "_mlws_tracking_bootstrap"
_HELPERS = ("_mlws_portable",)
_HELD = 4 * 1024 * 1024  # characters that wait in the kernel to be sent


def install(tracking: str | None, sink: Any) -> str:
    """Prepare the kernel, and return what it is as JSON: python, executable, path, problem, helpers.

    The file `tracking` (see tracking/handover.py) makes MLflow log into the job's run, by `sink` (see
    tracking/spool.py) where that is on another machine; `problem` is why it does not.
    """
    shell = _shell()
    if sys.modules.get("debugpy", sys) is None:
        del sys.modules["debugpy"]  # the driver kept ipykernel from importing it; the user may
    if shell is not None:
        for prepare in _PREPARATIONS:
            try:
                prepare(shell)
            except Exception as error:
                # Each of them is a precaution; another version of ipykernel may lack what it rests on.
                print(f"mlws: {prepare.__name__}: {error!r}", file=sys.__stderr__)
    return json.dumps(
        {
            "python": "{}.{}.{}".format(*sys.version_info[:3]),
            "executable": sys.executable,
            "path": [str(entry) for entry in sys.path],
            "problem": None if tracking is None else _track(tracking, sink),
            "helpers": [name for name in _HELPERS if name in sys.modules],
        }
    )


def _track(path: str, sink: Any) -> str | None:
    try:
        with open(path, encoding="utf-8") as stream:  # noqa: PTH123 - pathlib is not imported in a bare kernel
            handed = json.load(stream)
        if _TRACKING not in sys.modules:
            add_module(_TRACKING, handed["bootstrap"])
        sys.modules[_TRACKING].install(handed, sink)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return None


def namespace() -> dict[str, Any]:
    """Return the user's namespace."""
    shell = _shell()
    return vars(sys.modules["__main__"]) if shell is None else shell.user_ns


def add_module(name: str, source: str) -> None:
    """Make a module of `source`."""
    module = type(sys)(name)
    exec(compile(source, "<" + name + ">", "exec"), vars(module))  # noqa: S102 - our own source
    sys.modules[name] = module


def unpack(path: str) -> None:
    """Put the captured variables of a pack into the user's namespace."""
    sys.modules["_mlws_portable"].unpack_into(path, namespace())


def pack(names: list[str], folder: str) -> str:
    """Write the results, and return a list of what became of each as JSON."""
    return json.dumps(sys.modules["_mlws_portable"].pack_results(names, namespace(), folder))


def run_script(path: str, arguments: list[str]) -> None:
    """Run the file as Python itself would: as `__main__`, with its own `sys.argv` and `sys.path[0]`."""
    main = namespace()
    main["__file__"] = path
    sys.argv = [path, *arguments]
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120 - pathlib is not imported in a bare kernel
    with open(path, "rb") as stream:  # noqa: PTH123
        source = stream.read()
    before = set(threading.enumerate())
    with _OnlyUserFrames(), _NoRunningLoop():
        exec(compile(source, path, "exec", dont_inherit=True), main)  # noqa: S102 - the job is this script
        _join_threads(before)


def call_function() -> None:
    """Call the captured function with its captured arguments; the result becomes `result`."""
    main = namespace()
    function = main.pop("__mlws_function__")
    arguments = main.pop("__mlws_args__", ())
    keywords = main.pop("__mlws_kwargs__", {})
    with _OnlyUserFrames(), _NoRunningLoop():
        value = function(*arguments, **keywords)
        if hasattr(value, "__await__"):
            import asyncio

            async def wait() -> Any:
                return await value

            value = asyncio.run(wait())
    main["result"] = value


class _OnlyUserFrames:
    """Takes our own frames out of the traceback that is shown."""

    def __enter__(self) -> None:
        shell = _shell()
        if shell is not None:
            shell.set_custom_exc((BaseException,), _show_user_frames)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        # After an exception the handler is still needed; it takes itself off.
        shell = _shell()
        if shell is not None and (kind is None or issubclass(kind, SystemExit)):
            shell.set_custom_exc((), None)


def _show_user_frames(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> list[str]:
    shell.set_custom_exc((), None)
    ours = __name__ or "_mlws_inside"
    last = trace
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == ours:
            last = trace.tb_next
        trace = trace.tb_next
    shell.showtraceback((kind, error.with_traceback(last), last), tb_offset=0)
    return shell._last_traceback or []


class _NoRunningLoop:
    """Hides the kernel's event loop, so that `asyncio.run` works as in a script."""

    def __enter__(self) -> None:
        import asyncio

        self._loop = asyncio._get_running_loop()
        self._swap = getattr(asyncio.tasks, "_swap_current_task", None)
        self._task = None
        if self._loop is not None:
            if self._swap is not None:
                self._task = self._swap(self._loop, None)
            asyncio._set_running_loop(None)

    def __exit__(self, *exception: Any) -> None:
        import asyncio

        if self._loop is not None:
            asyncio._set_running_loop(self._loop)
            asyncio.set_event_loop(self._loop)
            if self._swap is not None:
                self._swap(self._loop, self._task)


def _join_threads(before: set[threading.Thread]) -> None:
    """Wait for the threads that the script left running, as the interpreter does at its end."""
    pools = sys.modules.get("concurrent.futures.thread")
    # The threads of a pool that was not shut down wait for work for ever.
    idle = set(getattr(pools, "_threads_queues", ()))
    for thread in threading.enumerate():
        if not (thread in before or thread in idle or thread.daemon or thread is threading.current_thread()):
            thread.join()


def _streams() -> tuple[Any, Any]:
    return sys.stdout, sys.stderr


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


def _send_everything(shell: Any) -> None:
    """Let no output be dropped while the worker is busy: ZMQ drops beyond 1,000 messages."""
    import zmq

    for stream in _streams():
        stream.pub_thread.socket.setsockopt(zmq.SNDHWM, 0)


def _send_at_once(shell: Any) -> None:
    """Let the thread that sends output send at once what it is asked to send by itself.

    ipykernel has it wake itself through a pipe, once for each piece of a long text; after 2,000 of them
    the pipe is full, and the thread waits for ever for itself to empty it.
    """
    sender = _streams()[0].pub_thread
    schedule = sender.schedule

    def schedule_or_do(work: Any) -> None:
        if threading.current_thread() is sender.thread:
            work()
        else:
            schedule(work)

    sender.schedule = schedule_or_do


def _send_any_text(shell: Any) -> None:
    """Lone surrogates cannot be encoded, and a reply that cannot be sent would never come."""
    session = shell.kernel.session
    send = session.pack

    def pack_any(content: Any) -> Any:
        try:
            return send(content)
        except UnicodeEncodeError:
            return send(_without_surrogates(content))

    session.pack = pack_any


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value


def _cut_streams(shell: Any) -> None:
    """Send long texts in pieces as they come: neither the kernel nor the worker holds all of a gigabyte."""
    # IPython keeps a copy of all that is printed, for an export of the session that no job makes.
    shell._tee = _no_copy
    for stream in _streams():
        stream._flush_buffers = _in_pieces(stream._flush_buffers)
        stream.write = _with_pauses(stream, stream.write)


@contextlib.contextmanager
def _no_copy(channel: str) -> Iterator[None]:
    yield


def _with_pauses(stream: Any, write: Any) -> Any:
    """Wait now and then until what was printed is on its way: printing is quicker than sending."""
    held = 0

    def write_some(text: Any) -> Any:
        nonlocal held
        if not isinstance(text, str) or len(text) <= _HELD:
            written = write(text)
            held += written
            if held > _HELD:
                held = 0
                stream.flush()
            return written
        for start in range(0, len(text), _HELD):
            write(text[start : start + _HELD])
            stream.flush()
        return len(text)

    return write_some


def _in_pieces(buffers: Any) -> Any:
    def pieces() -> Any:
        for parent, text in buffers():
            for start in range(0, len(text), _TEXT):
                yield parent, text[start : start + _TEXT]

    return pieces


def _flush_before_exit(shell: Any) -> None:
    """What was printed before `os._exit` is shown, as it would be in a terminal."""
    exit_now: Any = os._exit
    kernel = os.getpid()

    def _exit(status: int) -> None:
        if os.getpid() == kernel:
            for stream in _streams():
                try:
                    stream.flush()
                except Exception:  # noqa: S112 - nothing may stand in the way of the exit
                    continue
            time.sleep(0.05)  # ZMQ's own thread sends it
        exit_now(status)

    vars(os)["_exit"] = _exit


def _leave_children(shell: Any) -> None:
    """End at once when asked: ipykernel waits up to 28 s for children, zombies too; the driver ends them."""
    shell.kernel._process_children = list


def _end_in_order(shell: Any) -> None:
    """End at once when asked: of ten kernels of ipykernel 7 one hangs as it ends.

    Its main thread stops the IOPub thread and joins the control thread, which waits for the IOPub thread to
    flush. Here the main thread waits for the control thread first.
    """
    import atexit

    atexit.register(shell.kernel.control_thread.join, 1.0)


def _exit_quietly(shell: Any) -> None:
    """`sys.exit()` and `exit()` end the job; the worker says so, the advice to use `exit` is out of place."""
    import warnings

    warnings.filterwarnings("ignore", message="To exit: use")
    show = shell.showtraceback

    def ask_exit() -> None:
        # ipykernel's own would end the kernel, and with it the results.
        shell.payload_manager.write_payload({"source": "ask_exit", "keepkernel": True})

    shell.ask_exit = ask_exit

    def showtraceback(*arguments: Any, **keywords: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, SystemExit) and keywords.get("exception_only"):
            if error.code is None or error.code == 0:
                shell._last_traceback = []
                return
            shell._showtraceback(SystemExit, error, ["SystemExit: " + str(error.code)])
            return
        show(*arguments, **keywords)

    shell.showtraceback = showtraceback


_PREPARATIONS = (
    _send_everything,
    _send_at_once,
    _send_any_text,
    _cut_streams,
    _flush_before_exit,
    _exit_quietly,
    _leave_children,
    _end_in_order,
)
