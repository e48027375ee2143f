"""`jupyter mlws status`."""

from __future__ import annotations

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option


@click.command()
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show what there is: server, workspace, computes, newest jobs, MLflow."""
    workspace = door.workspace(context)
    found = workspace.status()
    if as_json:
        door.write_json({"url": workspace.url, **found.model_dump(mode="json")})
        return
    from jupyter_mlws.cli import tables

    counts = ", ".join(f"{number} {name}" for name, number in found.jobs.items() if number) or "none yet"
    tracking = found.tracking
    pages = f"  {workspace.url}/{tracking.ui}" if tracking.ui else ""
    click.echo(f"workspace  {found.workspace.name}  ({found.workspace.path})")
    click.echo(f"server     {workspace.url}  (version {found.version}, as {found.user})")
    click.echo(f"MLflow     {tracking.status}{pages}{f'  {tracking.error}' if tracking.error else ''}")
    click.echo(f"jobs       {counts}\n")
    console = door.console()
    console.print(tables.computes(workspace.computes.list()))
    console.print()
    console.print(tables.jobs([job.record for job in workspace.jobs.list(limit=10)]))
