"""`jupyter mlws job ...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from jupyter_mlws.cli import door
from jupyter_mlws.cli.door import json_option
from jupyter_mlws.cli.parameter import Pairs, as_parameters, parameter_option

_STATUSES = ["Queued", "Preparing", "Running", "Finalizing", "Completed", "Failed", "Canceled"]
_PRIORITIES = click.Choice(["low", "medium", "high"])
_job_argument = click.argument("job", metavar="JOB")


@click.group()
def command() -> None:
    """Submit jobs and look after them. JOB is an id, or a name: then the newest job of that name."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@parameter_option
@click.option("--name", metavar="N", help="Name that people read; by default the file's.")
@click.option(
    "--experiment", metavar="E", default="Default", show_default=True, help="Group it is listed under."
)
@click.option("--compute", metavar="C", default="local", show_default=True, help="Where it runs.")
@click.option("--out", "outputs", metavar="A,B", help="Variables to keep as results.")
@click.option("--timeout", metavar="T", help="End it as failed after T of running: 90s, 30m, 2h.")
@click.option("--retries", metavar="N", type=int, default=0, help="Try again N times when it fails.")
@click.option("--cpus", metavar="N", type=float, default=1, show_default=True, help="CPUs that it takes.")
@click.option("--memory", metavar="SIZE", help="End it as failed above SIZE: 512M, 4G.")
@click.option("--gpus", metavar="N", type=int, default=0, help="GPUs that it takes.")
@click.option(
    "--priority", type=_PRIORITIES, default="medium", show_default=True, help="Its order in the queue."
)
@click.option("--kernel", metavar="K", help="Kernelspec, or path of a Python.")
@click.option("--live", is_flag=True, help="Run in the file's own folder, not in a copy of it.")
@click.option("--wait", is_flag=True, help="Wait for the end; the exit code tells how it ended.")
@click.option("--follow", is_flag=True, help="As --wait, and show the output as it comes.")
@json_option
@click.pass_context
def submit(
    context: click.Context,
    /,
    path: Path,
    pairs: Pairs,
    outputs: str | None,
    live: bool,
    wait: bool,
    follow: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Run the notebook or script PATH as a job."""
    from jupyter_mlws.client.options import JobOptions
    from jupyter_mlws.client.target import prepare

    prepared = prepare(
        path,
        args=(),
        kwargs=None,
        options=JobOptions(
            **options, parameters=as_parameters(pairs), snapshot=False if live else None, client="cli"
        ),
        inputs=None,
        outputs=[name.strip() for name in outputs.split(",")] if outputs else None,
    )
    job = door.workspace(context).jobs.send(prepared)
    _after(context, job, wait=wait, follow=follow, as_json=as_json)


@command.command("list")
@click.option(
    "--status", multiple=True, type=click.Choice(_STATUSES, case_sensitive=False), help="Only these."
)
@click.option("--name", metavar="N", help="Exactly this name.")
@click.option("--experiment", metavar="E", help="Only of this experiment.")
@click.option(
    "--kind", type=click.Choice(["cell", "notebook", "script", "function"]), help="Only of this kind."
)
@click.option("-q", metavar="TEXT", help="Part of the name.")
@click.option("-n", "--limit", metavar="N", type=click.IntRange(min=1), default=50, show_default=True)
@json_option
@click.pass_context
def list_jobs(
    context: click.Context, /, status: tuple[str, ...], limit: int, as_json: bool, **filters: str | None
) -> None:
    """List jobs, newest first."""
    from jupyter_mlws.cli import tables

    given = {key: value for key, value in filters.items() if value is not None}
    found = door.workspace(context).jobs.list(limit=limit, status=list(status), **given)
    records = [job.record for job in found]
    if as_json:
        door.write_json(records)
    elif not records and (status or given):
        click.echo("No job matches. All of them: jupyter mlws job list")
    else:
        door.console().print(tables.jobs(records))


@command.command()
@_job_argument
@json_option
@click.pass_context
def show(context: click.Context, job: str, as_json: bool) -> None:
    """Show everything that is known of a job."""
    from jupyter_mlws.cli import tables

    found = door.workspace(context).jobs.find(job)
    if as_json:
        door.write_json(found.record)
    else:
        door.console().print(tables.job(found.record, found.attempts()))


@command.command()
@_job_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")
@click.option("-n", "--lines", metavar="N", type=click.IntRange(min=1), help="The last N lines alone.")
@click.option(
    "--attempt", metavar="N", type=click.IntRange(min=1), help="Of this try; by default the newest."
)
@json_option
@click.pass_context
def logs(
    context: click.Context, job: str, follow: bool, lines: int | None, attempt: int | None, as_json: bool
) -> None:
    """Show what a job printed. With --json: its events, a line each."""
    from jupyter_mlws.cli import follow as following

    found = door.workspace(context).jobs.find(job)
    if follow:
        following.follow(context, found, as_json=as_json)
    elif as_json:
        for event in found.past_events(attempt=attempt):
            door.write_json_line(event)
    elif lines:
        shown = found.last_lines(lines, attempt=attempt)
        click.echo(shown, nl=bool(shown))
    else:
        end = "\n"
        for piece in found.log_pieces(attempt=attempt):
            click.echo(piece, nl=False)
            end = piece[-1]
        click.echo("", nl=end != "\n")


@command.command()
@_job_argument
@click.option("--timeout", metavar="T", help="Give up waiting after T: 90s, 30m, 2h.")
@json_option
@click.pass_context
def wait(context: click.Context, job: str, timeout: str | None, as_json: bool) -> None:
    """Wait for the end of a job; the exit code tells how it ended: 0 Completed, 1 Failed, 3 Canceled."""
    from jupyter_mlws.cli import follow as following

    following.wait(context, door.workspace(context).jobs.find(job), timeout=timeout, as_json=as_json)


@command.command()
@_job_argument
@json_option
@click.pass_context
def cancel(context: click.Context, job: str, as_json: bool) -> None:
    """End a job: interrupt it, then terminate, then kill. Its partial output is kept."""
    found = door.workspace(context).jobs.find(job)
    if not found.status.is_terminal:
        found.cancel()
    if as_json:
        door.write_json(found.record)
    elif found.record.status.is_terminal:
        click.echo(f"The job {found.name!r} ({found.id}) has ended: {found.record.status}.")
    else:
        click.echo(f"The job {found.name!r} ({found.id}) is being ended.")


@command.command()
@_job_argument
@parameter_option
@click.option("--name", metavar="N", help="Another name.")
@click.option("--compute", metavar="C", help="Another compute.")
@click.option("--timeout", metavar="T", help="Another limit of running.")
@click.option("--retries", metavar="N", type=int)
@click.option("--cpus", metavar="N", type=float)
@click.option("--memory", metavar="SIZE")
@click.option("--gpus", metavar="N", type=int)
@click.option("--priority", type=_PRIORITIES)
@click.option("--wait", is_flag=True, help="Wait for the end; the exit code tells how it ended.")
@click.option("--follow", is_flag=True, help="As --wait, and show the output as it comes.")
@json_option
@click.pass_context
def rerun(
    context: click.Context, /, job: str, pairs: Pairs, wait: bool, follow: bool, as_json: bool, **changes: Any
) -> None:
    """Run a job again exactly as it was, but for what is given."""
    parameters = as_parameters(pairs) or None
    again = door.workspace(context).jobs.find(job).rerun(parameters=parameters, **changes)
    _after(context, again, wait=wait, follow=follow, as_json=as_json)


@command.command()
@_job_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(context: click.Context, job: str, yes: bool) -> None:
    """Delete a job with its output and results."""
    found = door.workspace(context).jobs.find(job)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("There is no terminal to ask in. To delete without being asked: --yes.")
        lost = f"its output and {len(found.record.results)} results"
        click.confirm(f"Delete the job {found.name!r} ({found.id}) with {lost}?", abort=True, err=True)
    found.delete()
    click.echo(f"The job {found.name!r} ({found.id}) is being deleted.")


@command.command()
@_job_argument
@click.argument("name", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write its pack to this file.")
@json_option
@click.pass_context
def result(context: click.Context, job: str, name: str | None, output: Path | None, as_json: bool) -> None:
    """List a job's results, or print the one called NAME. Printing loads it, as Python's pickle does."""
    from jupyter_mlws.cli import tables

    found = door.workspace(context).jobs.find(job)
    if name is None:
        found.wait()
        if as_json:
            door.write_json(found.record.results)
        else:
            door.console().print(tables.results(found.record))
    elif output is not None:
        found.save_result(name, output)
        click.echo(f"{output}", err=True)
    elif as_json:
        from jupyter_mlws.client import results

        door.write_json(results.item(found.wait().record, name))
    else:
        click.echo(repr(found.result(name)))


@command.command()
@_job_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; by default the output.")
@click.pass_context
def notebook(context: click.Context, job: str, output: Path | None) -> None:
    """Get the executed notebook, as far as it has come."""
    import json

    text = json.dumps(door.workspace(context).jobs.find(job).notebook(), ensure_ascii=False, indent=1)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def _after(context: click.Context, job: Any, *, wait: bool, follow: bool, as_json: bool) -> None:
    """Say that a job was accepted, and wait for it or show its output where that was asked."""
    from jupyter_mlws.cli import follow as following

    if not as_json:
        door.say(f"Submitted {job.name!r} as {job.id}.")
    if follow:
        following.follow(context, job, as_json=as_json)
    elif wait:
        following.wait(context, job, timeout=None, as_json=as_json)
    elif as_json:
        door.write_json(job.record)
    else:
        click.echo(job.id)
