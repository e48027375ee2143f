"""`jupyter mlws compute ...`."""

from __future__ import annotations

import sys
from typing import Any

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option

_name_argument = click.argument("name", metavar="NAME")


@click.group()
def command() -> None:
    """Where jobs run. `local` is this machine; others are Jupyter servers elsewhere."""


@command.command()
@_name_argument
@click.option("--type", "type_", metavar="T", default="jupyter", show_default=True, help="What it is.")
@click.option("--url", metavar="URL", required=True, help="Address of a Jupyter Server or gateway.")
@click.option(
    "--token-file",
    metavar="PATH",
    help="File that holds its token, - for the standard input. Without it: the variable MLWS_COMPUTE_TOKEN, "
    "a token in the URL, or, on a terminal, you are asked.",
)
@click.option("--token", metavar="T", help="Its token, where nobody else can see the command line.")
@click.option("--no-token", is_flag=True, help="It has no token; the one that is kept is forgotten.")
@click.option("--slots", metavar="N", type=int, default=1, show_default=True, help="Jobs at once.")
@click.option(
    "--price-per-hour", metavar="P", type=float, default=0.0, help="US dollars for an hour of one job."
)
@click.option("--kernel", metavar="K", help="Kernelspec there; by default the server's own.")
@click.option("--no-check", is_flag=True, help="Make it though its server cannot be used now.")
@json_option
@click.pass_context
def create(
    context: click.Context,
    /,
    name: str,
    type_: str,
    url: str,
    token: str | None,
    token_file: str | None,
    no_token: bool,
    no_check: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make the compute NAME, or change it: a Jupyter server elsewhere on which jobs run.

    The token is kept for you alone in the workspace, and never shown. Better than by --token it is given by
    --token-file, or when you are asked: a command line can be read by everybody on this machine, and stays in
    the shell's history.
    """
    from jupyter_mlws.client import compute_token

    if no_token:
        token = ""
    elif token is None:
        token = compute_token.find(url=url, file=token_file, ask=_ask)
    made = door.workspace(context).computes.create(
        name, type=type_, url=url, token=token, check=not no_check, **options
    )
    if as_json:
        door.write_json(made)
        return
    click.echo(f"The compute {made.name!r} is at {made.url}.")
    door.say(f"Use it with: jupyter mlws job submit train.ipynb --compute {made.name}")


@command.command("list")
@json_option
@click.pass_context
def list_computes(context: click.Context, as_json: bool) -> None:
    """List the computes: what was last known of them, what they hold, what is in use."""
    from jupyter_mlws.cli import tables

    found = door.workspace(context).computes.list()
    if as_json:
        door.write_json(found)
    else:
        door.console().print(tables.computes(found))


@command.command()
@_name_argument
@json_option
@click.pass_context
def show(context: click.Context, name: str, as_json: bool) -> None:
    """Show all that is known of a compute, and what it guarantees."""
    from jupyter_mlws.cli import tables
    from jupyter_mlws.client import compute_table

    found = door.workspace(context).computes.get(name)
    if as_json:
        door.write_json(found)
    else:
        door.console().print(tables.facts(found.name, compute_table.facts(found)))


@command.command()
@_name_argument
@json_option
@click.pass_context
def check(context: click.Context, name: str, as_json: bool) -> int:
    """Look whether a job could run on a compute now. The exit code is 1 when it could not."""
    from jupyter_mlws.cli import tables
    from jupyter_mlws.client import compute_table

    found = door.workspace(context).computes.check(name)
    if as_json:
        door.write_json(found)
    else:
        door.console().print(tables.facts(name, compute_table.found(found)))
    return 0 if found.reachable else 1


@command.command()
@_name_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(context: click.Context, name: str, yes: bool) -> None:
    """Delete a compute and the token that is kept for it. Jobs that ran there stay."""
    computes = door.workspace(context).computes
    found = computes.get(name)
    if not yes:
        click.confirm(f"Delete the compute {found.name!r} ({found.url or 'local'})?", abort=True, err=True)
    computes.delete(name)
    click.echo(f"The compute {name!r} is deleted.")


def _ask() -> str | None:
    if not sys.stdin.isatty():
        return None
    from getpass import getpass

    return getpass("Token of that server (not shown; Enter for none, or for the one that is kept): ")
