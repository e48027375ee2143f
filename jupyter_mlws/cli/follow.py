"""Follows a job in the terminal until it ends, or until Ctrl-C, which never ends the job."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from jupyter_mlws.cli.door import say, write_json_line
from jupyter_mlws.cli.main import CANCELED, FAILED, INTERRUPTED
from jupyter_mlws.client import card, log_text
from jupyter_mlws.client.screens import TextScreen
from jupyter_mlws.model.events import CellChanged, LogEvent, StatusChanged
from jupyter_mlws.model.status import JobStatus

if TYPE_CHECKING:
    from jupyter_mlws.client import Job
    from jupyter_mlws.model import job as records


def follow(context: click.Context, job: Job, *, as_json: bool) -> None:
    """Show the output as it comes, then how the job ended; leave with its exit code."""
    _until_the_end(context, job, lambda: _show(job, as_json=as_json))
    finish(context, job, as_json=as_json, lines=True)


def wait(context: click.Context, job: Job, *, timeout: str | None, as_json: bool) -> None:
    """Wait without showing the output; leave with the job's exit code."""
    _until_the_end(context, job, lambda: job.wait(timeout))
    finish(context, job, as_json=as_json, lines=False)


def finish(context: click.Context, job: Job, *, as_json: bool, lines: bool) -> None:
    """Say how the job ended and leave with its exit code."""
    record = job.record
    if as_json:
        from jupyter_mlws.cli.door import write_json

        (write_json_line if lines else write_json)(record)
    else:
        say_end(record)
    context.exit(exit_code(record.status))


def exit_code(status: JobStatus) -> int:
    """Return the exit code for the end of a job: 0 Completed, 1 Failed, 3 Canceled."""
    return {JobStatus.FAILED: FAILED, JobStatus.CANCELED: CANCELED}.get(status, 0)


def say_end(record: records.Job) -> None:
    """Tell in a line how the job ended, and what is to be told of it below."""
    colour = {JobStatus.COMPLETED: "green", JobStatus.FAILED: "red"}.get(record.status)
    click.echo(click.style(card.line(record), fg=colour), err=True)
    for name, value in card.facts(record):
        if name != "sent":
            click.echo(f"  {name:<8} {value}", err=True)


def _until_the_end(context: click.Context, job: Job, watch: Callable[[], object]) -> None:
    try:
        watch()
    except KeyboardInterrupt:
        click.echo("", err=True)
        say(f"Stopped watching; the job {job.name!r} goes on. End it with: jupyter mlws job cancel {job.id}")
        context.exit(INTERRUPTED)


def _show(job: Job, *, as_json: bool) -> None:
    if as_json:
        for event in job.events():
            write_json_line(event)
        job.refresh()
    elif sys.stderr.isatty():
        _show_with_progress(job)
    else:
        job.stream(TextScreen())


def _show_with_progress(job: Job) -> None:
    """Write the output above one live line with status, cell, time and cost."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    terminal = Console(stderr=True, highlight=False, soft_wrap=True)
    screen = TextScreen()
    line = _LiveLine(job)
    pending = ""

    def write(text: str) -> None:
        if sys.stdout.isatty():
            terminal.print(Text.from_ansi(text), end="")
        else:
            sys.stdout.write(screen.styled(text))
            sys.stdout.flush()

    with Live(get_renderable=line.text, console=terminal, refresh_per_second=4, transient=True):
        for event in job.events():
            line.see(event)
            # A line is written when it is whole: the live line stands below it.
            whole, newline, pending = (pending + log_text.of_event(event)).rpartition("\n")
            if newline:
                write(whole + newline)
    if pending:
        write(pending + "\n")
    job.refresh()


class _LiveLine:
    """The state of a job as one line that is drawn again and again."""

    def __init__(self, job: Job) -> None:
        self._record = job.record
        self._status = job.record.status
        self._cell = ""
        self._began: float | None = None

    def see(self, event: LogEvent) -> None:
        """Take account of an event."""
        if isinstance(event, StatusChanged):
            self._status = event.status
            if event.status is JobStatus.RUNNING:
                self._began = event.t
        elif isinstance(event, CellChanged):
            self._cell = f"cell {event.position} of {event.total}"

    def text(self) -> str:
        """Return the line."""
        import time

        from jupyter_mlws.client import wording

        parts = [wording.state(self._status), self._record.spec.name]
        if self._cell:
            parts.append(self._cell)
        if self._began is not None:
            seconds = max(0.0, time.time() - self._began)
            parts += [
                wording.duration(seconds),
                wording.cost(seconds, price_per_hour=self._record.price_per_hour),
            ]
        return "  ".join(part for part in parts if part)
