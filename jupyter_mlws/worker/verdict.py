"""What a kernel's reply, or its death, means for the job. Pure."""

from __future__ import annotations

import re
import signal
from typing import Any

from jupyter_mlws.model.errors import ErrorInfo
from jupyter_mlws.model.sizes import size
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.worker.rich_output import shortened
from jupyter_mlws.worker.stopping import COMPLETED, Ending

_LONGEST_MESSAGE = 2000
_NO_INPUT = "StdinNotImplementedError"
_SYNTAX = ("SyntaxError", "IndentationError", "TabError")
_IN_A_CELL = re.compile(r"(.*) \(\d+\.py, line (\d+)\)", re.DOTALL)
_CLEAN_EXITS = ("", "None", "0", "False")


def failed(code: str, message: str, *, hint: str | None = None) -> Ending:
    """Return an ending as Failed."""
    return Ending(JobStatus.FAILED, ErrorInfo(code=code, message=message, hint=hint))


def of_reply(
    reply: dict[str, Any] | None, error: dict[str, Any] | None, *, where: str, code: str = ""
) -> Ending | None:
    """Return how the job ends after a cell, None when the next cell follows.

    `reply` is the content of the execute reply, `error` that of the last error message, either may be
    missing; `where` says which cell it was, and `code` is its source.
    """
    if reply is None or reply.get("status") == "aborted":
        reply = {**error, "status": "error"} if error else {"status": "ok"}
    if reply.get("status") == "error":
        name, value = str(reply.get("ename", "")), str(reply.get("evalue", ""))
        if name in _SYNTAX and (found := _IN_A_CELL.fullmatch(value)):
            # The kernel takes empty lines at the top away, and calls the cell by a file that nobody has.
            above = code[: len(code) - len(code.lstrip())].count("\n")
            value, where = found[1], f"{where.removesuffix('.')}, line {int(found[2]) + above}."
        return _of_error(name, value, where=where)
    payload = reply.get("payload") or []
    if any(item.get("source") == "ask_exit" for item in payload if isinstance(item, dict)):
        return COMPLETED
    return None


def _of_error(name: str, value: str, *, where: str) -> Ending:
    if name == "SystemExit":
        if value in _CLEAN_EXITS:
            return COMPLETED
        return failed("exit_code", f"The code ended itself with sys.exit({_shown(value)}).", hint=where)
    if name == _NO_INPUT:
        return input_requested(where)
    text = shortened(f"{name}: {value}" if value else name, note="see the log", longest=_LONGEST_MESSAGE)
    return failed("user_error", text, hint=where)


def input_requested(where: str) -> Ending:
    """The code waits for somebody to type something."""
    return failed(
        "input_requested",
        "The code asked for input with input() or getpass(), and a job has nobody to answer.",
        hint=f"{where} Give the value as a parameter instead.",
    )


def kernel_died(exit_code: int | None, *, where: str) -> Ending:
    """The kernel's process ended by itself. `exit_code` is negative for a signal."""
    if exit_code is None:
        return failed("kernel_died", "The kernel died.", hint=where)
    if exit_code >= 0:
        return failed("kernel_died", f"The kernel ended itself with exit code {exit_code}.", hint=where)
    name = _signal_name(-exit_code)
    hint = where
    if -exit_code == signal.SIGKILL:
        hint += " SIGKILL often comes from the system when the machine's memory is full."
    return failed("kernel_died", f"The kernel was killed by the signal {name} ({-exit_code}).", hint=hint)


def memory_exceeded(used: int, limit: int) -> Ending:
    """The process tree holds more than the job may."""
    return failed(
        "memory_limit",
        f"The job was ended because it used {size(used)} of memory; its limit is {size(limit)}.",
        hint="Submit it again with a larger --memory, or let it use less.",
    )


def timed_out(seconds: float) -> Ending:
    """The job ran for longer than it may."""
    return failed(
        "timeout",
        f"The job was ended after {_span(seconds)}, its timeout.",
        hint="Submit it again with a longer --timeout.",
    )


def disk_failed(error: OSError) -> Ending:
    """The event log could not be written."""
    return failed(
        "worker_error",
        f"The job was ended because its log could not be written: {error.strerror or error}.",
        hint="Make room on the disk of the workspace, and run the job again.",
    )


def _span(seconds: float) -> str:
    """Return a length of time in the largest unit that gives a whole number: `2 hours`, `90 seconds`."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit:.0f} {name}" + ("" if seconds == unit else "s")
    return f"{seconds:.10g} seconds"


def _shown(value: str) -> str:
    if value.lstrip("-").isdigit() or value == "True":
        return value
    return repr(shortened(value, note="see the log", longest=_LONGEST_MESSAGE))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
