"""The command `jupyter mlws`: its groups, and what happens to errors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from jupyter_mlws.cli.interrupts import Interrupts
from jupyter_mlws.version import version

FAILED, USAGE, CANCELED, INTERRUPTED = 1, 2, 3, 130

_GROUPS = {
    "job": ("jupyter_mlws.cli.job", "Submit jobs and look after them."),
    "compute": ("jupyter_mlws.cli.compute", "Where jobs run."),
    "workspace": ("jupyter_mlws.cli.workspace", "The folders that hold everything."),
    "server": ("jupyter_mlws.cli.server", "The server behind the workspace."),
    "mlflow": ("jupyter_mlws.cli.mlflow", "Where MLflow is."),
    "status": ("jupyter_mlws.cli.status", "What there is: server, workspace, jobs, MLflow."),
}


class LazyGroup(click.Group):
    """Imports a group of commands when it is used, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the groups."""
        return list(_GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the group of this name; in the list of groups, a stand-in with its summary."""
        if cmd_name not in _GROUPS:
            return None
        module, _ = _GROUPS[cmd_name]
        found: click.Command = import_module(module).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the groups without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _GROUPS.items()])


def _say_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"jupyter mlws, version {version()}")
        context.exit()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
@click.option("-w", "--workspace", metavar="W", help="Name, or path with a /, of the workspace.")
@click.option("--url", metavar="URL", help="Address of the server, instead of looking for it.")
@click.pass_context
def cli(context: click.Context, workspace: str | None, url: str | None) -> None:
    """A machine-learning workspace inside JupyterLab.

    The token for --url is taken from MLWS_TOKEN.
    """
    context.obj = {"workspace": workspace, "url": url}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    0: done, Completed; 1: error, Failed; 2: usage; 3: Canceled; 130: Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    with Interrupts() as interrupts:
        return _outcome(words, interrupts)


def _outcome(words: list[str], interrupts: Interrupts) -> int:
    """Run the command; return the exit code for what became of it."""
    try:
        code = cli.main(args=words, prog_name="jupyter mlws", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has enough (`| head`): nothing is wrong, and nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from jupyter_mlws.model.errors import MlwsError

        if interrupts.came:
            return INTERRUPTED
        if not isinstance(error, MlwsError):
            raise
        _tell(error, as_json="--json" in words)
        return FAILED


def _tell(error: Any, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": error.info.model_dump()}), err=True)
        return
    click.echo(click.style("Error: ", fg="red") + error.message, err=True)
    if error.hint:
        click.echo(error.hint, err=True)
