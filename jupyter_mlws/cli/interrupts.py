"""Ctrl-C, wherever it comes: the command ends, and what fails because of it is no error of its own."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SOON_SECONDS = 0.05


class Interrupts:
    """Within it, Ctrl-C is remembered, whatever becomes of the exception that it raises.

    Python raises it in whatever code runs just then. Code of others can make another exception of it, and in
    a finalizer or the callback of a weak reference it is printed and lost: there it is sent again.
    """

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> Self:
        self._former = signal.getsignal(signal.SIGINT), sys.unraisablehook
        # Where the shell has it ignored (in the background) it stays ignored; threads cannot change it.
        self._hears = (
            self._former[0] is signal.default_int_handler
            and threading.current_thread() is threading.main_thread()
        )
        if self._hears:
            signal.signal(signal.SIGINT, self._hear)
            sys.unraisablehook = self._lost
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._hears:
            signal.signal(signal.SIGINT, self._former[0])
            sys.unraisablehook = self._former[1]

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt

    def _lost(self, what: UnraisableHookArgs) -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            # Soon and not now: raised in this hook it would be lost as well.
            main = threading.main_thread().ident
            assert main is not None
            again = threading.Timer(_SOON_SECONDS, signal.pthread_kill, (main, signal.SIGINT))
            again.daemon = True
            again.start()
        elif not self.came:  # else it tells of something that was left half made
            self._former[1](what)
