"""`jupyter mlws compute ...`."""

from __future__ import annotations

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option


@click.group()
def command() -> None:
    """Where jobs run."""


@command.command("list")
@json_option
@click.pass_context
def list_computes(context: click.Context, as_json: bool) -> None:
    """List the computes with what they hold and what is in use."""
    from jupyter_mlws.cli import tables

    found = door.workspace(context).computes.list()
    if as_json:
        door.write_json(found)
    else:
        door.console().print(tables.computes(found))
