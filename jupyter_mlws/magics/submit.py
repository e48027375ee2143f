"""`%%mlws submit` and `%mlws submit`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError

from jupyter_mlws.capture.packing import CannotCapture
from jupyter_mlws.client import results
from jupyter_mlws.client.cell_job import prepare_cell
from jupyter_mlws.client.job import Job
from jupyter_mlws.client.options import JobOptions
from jupyter_mlws.client.prepared import Prepared
from jupyter_mlws.client.target import prepare
from jupyter_mlws.magics import parameters
from jupyter_mlws.magics.session import Session
from jupyter_mlws.magics.shown import show


def submit(session: Session, options: argparse.Namespace, cell: str | None) -> None:
    """Send the cell, the file or this notebook; show its card and return at once, or wait with `--wait`."""
    asked = job_options(session, options)
    if cell is not None:
        if options.path is not None:
            raise UsageError(f"Over a cell there can be no file: leave out {options.path[:100]!r}.")
        job = session.workspace.jobs.send(_prepared(session, options, cell, asked))
    elif options.path is not None:
        prepared = prepare(
            str(Path(options.path)),
            args=(),
            kwargs=None,
            options=asked,
            inputs=_named(session, options.inputs),
            outputs=options.outputs,
        )
        job = session.workspace.jobs.send(prepared)
    else:
        if options.inputs or options.outputs:
            raise UsageError("A whole notebook takes no --in and --out: give it parameters with -p.")
        job = session.workspace.jobs.submit_this_notebook(options=asked)
    session.remember(job, variable=options.job)
    again = show(job)
    if options.wait:
        finish(session, job, outputs=options.outputs, show_again=again)


def _prepared(session: Session, options: argparse.Namespace, cell: str, asked: JobOptions) -> Prepared:
    try:
        return prepare_cell(
            cell,
            options=asked,
            namespace=session.shell.user_ns,
            inputs=options.inputs,
            outputs=options.outputs,
        )
    except CannotCapture as error:
        error.hint = f"{error.hint} Or leave it out: --in names the variables to send."
        raise


def job_options(session: Session, options: argparse.Namespace) -> JobOptions:
    """Return the options of the line as the client takes them."""
    return JobOptions(
        name=options.name,
        experiment=options.experiment or "Default",
        compute=options.compute or "local",
        parameters=parameters.parse(options.parameter, namespace=session.shell.user_ns),
        timeout=options.timeout,
        retries=options.retries or 0,
        cpus=1 if options.cpus is None else options.cpus,
        memory=options.memory,
        gpus=options.gpus or 0,
        priority=options.priority or "medium",
        snapshot=True if options.snapshot else None,
        kernel=options.kernel,
        client="magic",
    )


def finish(session: Session, job: Job, *, outputs: list[str] | None, show_again: Callable[[], None]) -> None:
    """Show the output until the end, then the card as it stands; assign the names that were asked for."""
    try:
        job.stream()
    except KeyboardInterrupt:
        raise UsageError(
            f"Stopped watching; the job {job.name!r} goes on. End it with: %mlws cancel {job.id}"
        ) from None
    show_again()
    # The traceback stands above already, where the job printed it.
    results.check_ended_well(job.record, traceback=None)
    if outputs:
        values: dict[str, Any] = {name: job.result(name) for name in outputs}
        session.shell.push(values)


def _named(session: Session, names: list[str] | None) -> dict[str, object] | None:
    if not names:
        return None
    missing = [name for name in names if name not in session.shell.user_ns]
    if missing:
        raise UsageError(
            f"--in {','.join(missing)}: not defined in the notebook. Run the cell that defines it."
        )
    return {name: session.shell.user_ns[name] for name in names}
