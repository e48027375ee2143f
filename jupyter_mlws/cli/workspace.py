"""`jupyter mlws workspace ...`."""

from __future__ import annotations

import os

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option


@click.group()
def command() -> None:
    """The folders that hold everything."""


@command.command("list")
@json_option
@click.pass_context
def list_workspaces(context: click.Context, as_json: bool) -> None:
    """List the workspaces; a dot marks the open one."""
    from jupyter_mlws.cli import tables

    found = door.workspace(context).workspaces.list()
    if as_json:
        door.write_json(found)
    else:
        door.console().print(tables.workspaces(found))


@command.command()
@click.argument("name")
@json_option
@click.pass_context
def create(context: click.Context, name: str, as_json: bool) -> None:
    """Make a workspace beside the others."""
    made = door.workspace(context).workspaces.create(name)
    if as_json:
        door.write_json(made)
    else:
        click.echo(f"The workspace {made.name!r} is made at {made.path}.")
        door.say(f"Use it with: jupyter mlws workspace use {made.name}")


@command.command()
@click.argument("name")
@json_option
@click.pass_context
def use(context: click.Context, name: str, as_json: bool) -> None:
    """Open another workspace in the server, and make it the current one; jobs of the other go on."""
    from jupyter_mlws.client import places

    used = door.workspace(context).workspaces.use(name)
    if as_json:
        door.write_json(used)
    else:
        click.echo(f"The workspace {used.name!r} ({used.path}) is open.")
    named = os.environ.get("MLWS_WORKSPACE")
    if named and places.choose(None).id != used.id:
        door.say(f"In this shell MLWS_WORKSPACE={named} comes before it: unset it, or set it to {used.path}.")


@command.command()
@json_option
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Show the open workspace."""
    found = door.workspace(context).status().workspace
    if as_json:
        door.write_json(found)
    else:
        click.echo(f"{found.name}\n  folder   {found.path}\n  id       {found.id}")
        click.echo(f"  made     {found.created_at:%Y-%m-%d}")
