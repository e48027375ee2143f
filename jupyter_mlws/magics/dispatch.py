"""Reads a `%mlws` line, finds its command and runs it; whatever goes wrong is said in a sentence."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError

from jupyter_mlws.magics import line_words
from jupyter_mlws.magics.parser import COMMANDS
from jupyter_mlws.magics.session import Session

Run = Callable[[Session, argparse.Namespace, "str | None"], Any]


def run(session: Session, line: str, cell: str | None) -> Any:
    """Run the command that `line` names, over `cell` if it stands over one.

    Raises `UsageError` for what is wrong in the line, and the errors of the client, which show themselves in
    a sentence.
    """
    name, words = _split(line)
    if name is None:
        if cell is not None:
            raise UsageError("Over a cell a command is needed: %%mlws submit")
        return _runner("overview")(session, argparse.Namespace(), None)
    command = COMMANDS.get(name)
    if command is None:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"There is no command %mlws {name[:100]}.{meant} See: %mlws help")
    if cell is not None and not command.cell:
        raise UsageError(f"%%mlws {name} cannot stand over a cell. Write %mlws {name} on a line of its own.")
    parser = command.parser(cell=cell is not None)
    if {"-h", "--help"} & set(words):
        print(parser.format_help())
        return None
    return _runner(name)(session, parser.parse_args(words), cell)


def _split(line: str) -> tuple[str | None, list[str]]:
    try:
        words = line_words.split(line)
    except ValueError as error:
        raise UsageError(f"The line cannot be read: {error}. Check its quotes: {line[:200]}") from None
    return (words[0], words[1:]) if words else (None, [])


def _runner(name: str) -> Run:
    """Return what runs the command. Imported here: a line with a typing error costs nothing."""
    from jupyter_mlws.magics import computes, look, manage, overview, submit

    runners: dict[str, Run] = {
        "overview": overview.overview,
        "submit": submit.submit,
        "jobs": look.jobs,
        "job": look.job,
        "logs": look.logs,
        "result": look.result,
        "compute": computes.compute,
        "cancel": manage.cancel,
        "rerun": manage.rerun,
        "delete": manage.delete,
        "workspace": manage.workspace,
        "help": overview.help,
    }
    return runners[name]
