"""`jupyter mlws mlflow`."""

from __future__ import annotations

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option

_ASLEEP = "it is started when it is needed."


@click.command()
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Say how MLflow's server stands and where its pages are, behind Jupyter's login."""
    workspace = door.workspace(context)
    state = workspace.mlflow()
    pages = f"{workspace.url}/{state.ui}" if state.ui else None
    if as_json:
        door.write_json({**state.model_dump(mode="json"), "pages": pages})
        return
    more = state.error or (_ASLEEP if state.status == "stopped" else None)
    click.echo(f"MLflow is {state.status}{f': {more}' if more else ''}")
    if pages:
        click.echo(f"  pages    {pages}  (in a browser that is logged in to Jupyter)")
    if state.url:
        click.echo(f"  clients  {state.url}  (inside jobs it is set already)")
