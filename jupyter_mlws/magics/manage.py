"""Commands that change something: cancel, rerun, delete, workspace."""

from __future__ import annotations

import argparse

from IPython.core.error import UsageError

from jupyter_mlws.client import wording
from jupyter_mlws.magics import parameters
from jupyter_mlws.magics.look import table
from jupyter_mlws.magics.session import Session
from jupyter_mlws.magics.shown import show
from jupyter_mlws.magics.submit import finish


def cancel(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """End a job."""
    job = session.job(options.target)
    if job.status.is_terminal:
        print(f"The job {job.name!r} ({job.id}) has ended already: {wording.state(job.status)}.")
        return
    job.cancel()
    print(f"The job {job.name!r} ({job.id}) is being ended. What it printed is kept.")


def rerun(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """Run a job again."""
    again = session.job(options.target).rerun(
        name=options.name,
        parameters=parameters.parse(options.parameter, namespace=session.shell.user_ns) or None,
        compute=options.compute,
        timeout=options.timeout,
        retries=options.retries,
        cpus=options.cpus,
        memory=options.memory,
        gpus=options.gpus,
        priority=options.priority,
    )
    session.remember(again, variable=options.job)
    show_again = show(again)
    if options.wait:
        finish(session, again, outputs=None, show_again=show_again)


def delete(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """Delete a job."""
    job = session.job(options.target)
    job.delete()
    if session.last is not None and session.last.id == job.id:
        session.last = None
    print(f"The job {job.name!r} ({job.id}) is being deleted, with its output and results.")


def workspace(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """List, show, create or change workspaces."""
    known = session.workspace.workspaces
    if options.verb in ("create", "use") and not options.name:
        raise UsageError(f"Give the workspace's name: %mlws workspace {options.verb} NAME")
    if options.verb == "create":
        made = known.create(options.name)
        print(f"The workspace {made.name!r} is made at {made.path}. Use it: %mlws workspace use {made.name}")
    elif options.verb == "use":
        used = known.use(options.name)
        session.go_on_with(used)
        print(f"The workspace {used.name!r} ({used.path}) is open. Jobs of the other go on.")
    elif options.verb == "show":
        found = session.workspace.status().workspace
        print(f"{found.name}  {found.path}\nid {found.id}, made {wording.ago(found.created_at)}")
    else:
        rows = [("● " * each.current + each.name, each.path) for each in known.list()]
        show(table(("workspace", "folder"), rows))
