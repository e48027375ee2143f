"""What a fork server for kernels runs in its children: ipykernel, as `python -m ipykernel_launcher` would.

Standard library and ipykernel, with what comes with it, alone: it runs in the job's environment.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import secrets
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG_LEVEL = 40
_NEEDED = ("logging.config", "sqlite3")
_CHANNELS = ("shell", "iopub", "stdin", "hb", "control")


class Rehearsed:
    """What kernels have in common and the server has found out for them."""

    def __init__(self) -> None:
        from ipykernel.kernelapp import IPKernelApp
        from traitlets.config import Config

        class Application(IPKernelApp):
            """Is told its settings; has the logging of the server, unless the user has settings of it."""

            def parse_command_line(self, argv: Any = None) -> None:
                self.update_config(Config(argv))

            def _configure_logging(self) -> None:
                own = self.config.get("IPKernelApp", {})
                if any(name in own for name in ("logging_config", "log_format", "log_datefmt")):
                    super()._configure_logging()  # which walks through all loggers

        Application.__name__ = IPKernelApp.__name__  # its logger and its section of the configuration
        application: Any = IPKernelApp
        application(log_level=_LOG_LEVEL).log.debug("Kernels are forked from here.")
        self.application: Any = Application
        self.files = [file for module in list(sys.modules.values()) if (file := _file_of(module))]
        self.names = set(sys.modules)


def rehearse() -> Rehearsed:
    """Do once, in the server, what each kernel would do anew: no socket, no thread, no device is opened."""
    for name in _NEEDED:
        with contextlib.suppress(ImportError):  # a Python without sqlite3 has kernels all the same
            importlib.import_module(name)
    return Rehearsed()


def prepare(place: str, rehearsed: Rehearsed) -> Any:
    """Make a kernel that listens on sockets in `place`, and return it; it answers nothing before `run`."""
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
    app: Any = rehearsed.application.instance()
    with _modules_known(rehearsed, app):
        # In place of the words of a command line, whose parser takes longer to make than a kernel's shell.
        app.initialize(
            {
                "IPKernelApp": {"connection_file": path, "log_level": _LOG_LEVEL},
                "HistoryManager": {"hist_file": ":memory:"},
            }
        )
    _warm_up(app)
    return app


@contextlib.contextmanager
def _modules_known(rehearsed: Rehearsed, app: Any) -> Iterator[None]:
    """Keep the start from listing all modules twice: that writes to half of the pages shared with the server.

    A list of 2,500 modules counts a reference to each, and each count is on a page of its own.
    """
    import ipykernel.ipkernel as kernels
    import IPython.core.shellapp as shell_app

    users: tuple[Any, ...] = (shell_app, kernels)
    for user in users:
        user.sys = _NoModules()
    try:
        yield
    finally:
        for user in users:
            user.sys = sys
    names, shell, kernel = rehearsed.names, getattr(app, "shell", None), app.kernel
    if len(sys.modules) != len(names):
        names = set(sys.modules)
    if shell is not None:
        shell._sys_modules_keys = names
    kernel._kernel_modules = rehearsed.files
    debugger = getattr(kernel, "debugger", None)
    if debugger is not None:
        debugger.kernel_modules = rehearsed.files


class _NoModules:
    """Stands for the module `sys`, as if nothing had been imported."""

    modules: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(sys, name, value)  # a startup file is given its own `sys.argv`


def _file_of(module: Any) -> str | None:
    try:
        return getattr(module, "__file__", None)
    except Exception:  # a module that imports itself when it is looked at, and cannot
        return None


def _warm_up(app: Any) -> None:
    """Have the first cell behind us, which takes some ten milliseconds longer than those that follow."""
    shell = getattr(app, "shell", None)
    if shell is not None:
        shell.run_cell("None", store_history=False, silent=True)
        shell.user_expressions({"warm": "1"})


def run(app: Any, order: Any) -> int:
    """Run its loop, which nobody else can reach before `order` has come; until the kernel is asked to end."""
    from tornado.ioloop import IOLoop

    loop = IOLoop.current()

    def begin(descriptor: int, events: int) -> None:
        loop.remove_handler(descriptor)
        try:
            order.take()
        except (OSError, ValueError, KeyError):
            loop.stop()  # whoever wanted it is gone

    loop.add_handler(order.fileno(), begin, loop.READ)
    app.start()
    return 0
