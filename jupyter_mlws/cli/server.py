"""`jupyter mlws server ...`."""

from __future__ import annotations

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option
from jupyter_mlws.cli.main import FAILED


@click.group()
def command() -> None:
    """The server behind the workspace. It is started by itself where none runs."""


@command.command()
@json_option
@click.pass_context
def start(context: click.Context, as_json: bool) -> None:
    """Start a server without a browser, unless one runs already."""
    _tell(context, as_json=as_json, start=True)


@command.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Say whether a server runs, and where; exit code 1 when none does."""
    _tell(context, as_json=as_json, start=False)


@command.command()
@click.option("--force", is_flag=True, help="Also one with JupyterLab in a browser.")
@click.pass_context
def stop(context: click.Context, force: bool) -> None:
    """End the server that was started without a browser. Jobs go on."""
    from jupyter_mlws.client.finder import NoServer

    try:
        workspace = door.workspace(context, start=False)
    except NoServer:
        click.echo("No server runs for this workspace.")
        return
    if not workspace.status().headless and not force:
        click.echo(
            f"The server at {workspace.url} is a JupyterLab or Jupyter server of yours. Stop it where it was "
            "started, or give --force.",
            err=True,
        )
        context.exit(FAILED)
    workspace.stop_server()
    click.echo(f"The server at {workspace.url} ends. Jobs go on.")


def _tell(context: click.Context, *, as_json: bool, start: bool) -> None:
    workspace = door.workspace(context, start=start)
    found = workspace.status()
    if as_json:
        door.write_json({"url": workspace.url, "pid": workspace.server_pid, **found.model_dump(mode="json")})
        return
    kind = "headless server" if found.headless else "Jupyter server"
    pid = f", pid {workspace.server_pid}" if workspace.server_pid else ""
    click.echo(f"{workspace.url}  {kind}{pid}, version {found.version}, workspace {found.workspace.name}")
