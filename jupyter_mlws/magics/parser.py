"""The options of each command, as argparse reads them."""

from __future__ import annotations

import argparse
import keyword
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser


class CommandParser(MagicArgumentParser):
    """Reads the words after a command. What is wrong becomes one sentence."""

    def __init__(self, *, command: str, cell: bool, description: str) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            prog=("%%" if cell else "%") + f"mlws {command}",
            description=description,
            formatter_class=argparse.HelpFormatter,
        )
        self.allow_abbrev = False
        self.add_argument("-h", "--help", action="store_true", help="show this help")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where help is."""
        text = message[0].upper() + message[1:]
        raise UsageError(f"{text}. See: %mlws {self.prog.split()[1]} --help")

    def options(self) -> list[str]:
        """Return every option that is offered, such as `--name`."""
        return [
            option
            for action in self._actions
            if action.help != argparse.SUPPRESS
            for option in action.option_strings
        ]


@dataclass(frozen=True)
class Command:
    """One command of `%mlws`."""

    name: str
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    cell: bool = False
    """Whether it can stand over a cell."""

    def parser(self, *, cell: bool = False) -> CommandParser:
        """Return the parser of its words."""
        made = CommandParser(command=self.name, cell=cell, description=self.summary)
        self.arguments(made)
        return made


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        _identifier(name)
    return names


def _identifier(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"{text[:100]!r} is not the name of a variable")
    return text


def _changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="N", help="name that people read")
    parser.add_argument("--compute", metavar="C", help="where it runs (default: local)")
    parser.add_argument("--timeout", metavar="T", help="end it as failed after T of running: 90s, 30m, 2h")
    parser.add_argument("--retries", metavar="N", type=int, help="try again N times when it fails")
    parser.add_argument("--cpus", metavar="N", type=float, help="CPUs that it takes (default: 1)")
    parser.add_argument("--memory", metavar="SIZE", help="end it as failed above SIZE: 512M, 4G")
    parser.add_argument("--gpus", metavar="N", type=int, help="GPUs that it takes (default: 0)")
    parser.add_argument("--priority", choices=["low", "medium", "high"], help="its order in the queue")
    parser.add_argument(
        "-p",
        "--parameter",
        metavar="key=value",
        action="append",
        default=[],
        help="a parameter: a Python literal, else text; {name} or $name stands for a variable's value",
    )
    parser.add_argument(
        "--job", metavar="VAR", type=_identifier, default="job", help="variable for the job (default: job)"
    )
    parser.add_argument("--wait", action="store_true", help="show the output here and wait for the end")


def _submit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", help="notebook or script; none: this notebook, as on the screen")
    _changes(parser)
    parser.add_argument("--experiment", metavar="E", help="group it is listed under (default: Default)")
    parser.add_argument(
        "--in", dest="inputs", metavar="a,b", type=_names, help="variables to send, not those the cell reads"
    )
    parser.add_argument(
        "--out",
        dest="outputs",
        metavar="a,b",
        type=_names,
        help="variables to bring back, not all that the cell assigns; with --wait they are assigned here",
    )
    parser.add_argument("--snapshot", action="store_true", help="run in a copy of the folder as it is now")
    parser.add_argument("--kernel", metavar="K", help="kernelspec, or path of a Python (default: this one)")


def _one_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="JOB", nargs="?", help="id, name or variable (default: the last)")


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--status", metavar="S", action="append", help="Queued, Running, Completed, Failed, ..."
    )
    parser.add_argument("--experiment", metavar="E")
    parser.add_argument("--name", metavar="N", help="exactly this name")
    parser.add_argument("-q", metavar="TEXT", help="part of the name")
    parser.add_argument("-n", "--limit", metavar="N", type=int, default=20, help="at most N (default: 20)")


def _logs(parser: argparse.ArgumentParser) -> None:
    _one_job(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the job has ended")
    parser.add_argument("-n", "--lines", metavar="N", type=int, help="the last N lines alone")


def _rerun(parser: argparse.ArgumentParser) -> None:
    _one_job(parser)
    _changes(parser)


def _delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="JOB", help="id, name or variable")


def _result(parser: argparse.ArgumentParser) -> None:
    _one_job(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="name of the result (default: all of them)")


def _compute(parser: argparse.ArgumentParser) -> None:
    verbs = ["list", "show", "create", "check", "delete"]
    parser.add_argument("verb", nargs="?", choices=verbs, default="list", help="list (default)")
    parser.add_argument("name", metavar="NAME", nargs="?", help="for all but list")
    parser.add_argument("--type", metavar="T", default="jupyter", help="create: what it is (jupyter)")
    parser.add_argument("--url", metavar="URL", help="create: address of a Jupyter Server or gateway")
    parser.add_argument(
        "--token-file",
        metavar="PATH",
        help="create: file with its token; else MLWS_COMPUTE_TOKEN, or you are asked",
    )
    # Known, so that it can be refused: it would be saved with the notebook.
    parser.add_argument("--token", nargs="?", const="", help=argparse.SUPPRESS)
    parser.add_argument("--no-token", action="store_true", help="create: it has no token")
    parser.add_argument("--slots", metavar="N", type=int, default=1, help="create: jobs at once (default: 1)")
    parser.add_argument(
        "--price-per-hour",
        metavar="P",
        type=float,
        default=0.0,
        help="create: US dollars for an hour of one job",
    )
    parser.add_argument("--kernel", metavar="K", help="create: kernelspec there (default: the server's own)")
    parser.add_argument("--no-check", action="store_true", help="create: though it cannot be used now")


def _workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", nargs="?", choices=["list", "show", "create", "use"], default="list")
    parser.add_argument("name", metavar="NAME", nargs="?", help="for create and use")


def _help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", metavar="COMMAND", nargs="?")


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            "submit", "Run a cell, this notebook, a notebook file or a script as a job.", _submit, cell=True
        ),
        Command("jobs", "List jobs, newest first.", _jobs),
        Command("job", "Show a job's card.", _one_job),
        Command("logs", "Show what a job has printed.", _logs),
        Command("result", "Bring back what a job assigned: model = %mlws result JOB model.", _result),
        Command("cancel", "End a job; its partial output is kept.", _one_job),
        Command("rerun", "Run a job again exactly as it was, or with changes.", _rerun),
        Command("delete", "Delete a job with its output and results.", _delete),
        Command("compute", "List, show, create, check or delete where jobs run.", _compute),
        Command("workspace", "List, show, create or change workspaces.", _workspace),
        Command("help", "List the commands, or the options of one.", _help),
    )
}
