"""`%mlws` alone, and `%mlws help`."""

from __future__ import annotations

import argparse
from html import escape

from jupyter_mlws.client import compute_table, job_table
from jupyter_mlws.client.workspace import Workspace
from jupyter_mlws.magics.parser import COMMANDS
from jupyter_mlws.magics.session import Session
from jupyter_mlws.magics.shown import Shown, show
from jupyter_mlws.model.compute import Compute, ComputeState
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.model.workspace import ServerStatus

_SHOWN = 8
_GREY = "var(--jp-ui-font-color2, #767676)"
_MORE = "%mlws help lists the commands."


def overview(session: Session, _options: argparse.Namespace, _cell: str | None) -> None:
    """Show what there is: server, workspace, jobs, MLflow."""
    show(of_workspace(session.workspace))


def of_workspace(workspace: Workspace) -> Shown:
    """Return the overview of a workspace."""
    status = workspace.status()
    newest = [job.record for job in workspace.jobs.list(limit=_SHOWN)]
    # What runs stands first, however many have been queued since.
    active = [status for status in JobStatus if status.is_active]
    running = [job.record for job in workspace.jobs.list(limit=_SHOWN, status=active)]
    shown = {job.id for job in running}
    jobs = (running + [job for job in newest if job.id not in shown])[: max(_SHOWN, len(running))]
    facts = _facts(workspace, status, workspace.computes.list())
    return Shown(_as_text(facts, jobs), _as_html(facts, jobs))


def help(_session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """List the commands, or the options of one."""
    if options.command in COMMANDS:
        print(COMMANDS[options.command].parser().format_help())
        return
    width = max(map(len, COMMANDS)) + 2
    lines = ["%mlws                   what there is: server, workspace, jobs, MLflow"]
    lines += [f"%mlws {command.name:<{width + 7}}{command.summary}" for command in COMMANDS.values()]
    lines += [
        "%%mlws submit           over a cell: run it as a job",
        "",
        "%mlws COMMAND --help shows its options.",
    ]
    print("\n".join(lines))


def _facts(
    workspace: Workspace, status: ServerStatus, computes: list[Compute]
) -> list[tuple[str, str, str | None]]:
    """Return pairs of a word and a text, and where the text leads."""
    counts = ", ".join(f"{number} {name}" for name, number in status.jobs.items() if number) or "none yet"
    kind = "headless server" if status.headless else "server"
    found: list[tuple[str, str, str | None]] = [
        ("workspace", f"{status.workspace.name}  ({status.workspace.path})", None),
        ("server", f"{workspace.url}  ({kind}, version {status.version}, as {status.user})", None),
    ]
    found += [
        (
            "compute",
            f"{each.name}  {compute_table.in_use(each)}{_trouble(each)}",
            None,
        )
        for each in computes
    ]
    tracking = status.tracking
    if tracking.ui and tracking.status != "stopped":
        pages = f"{workspace.url}/{tracking.ui}"
        found.append(("MLflow", f"{tracking.status}  {pages}", pages))
    else:
        found.append(("MLflow", tracking.error or "starts with the next job", None))
    found.append(("jobs", counts, None))
    return found


def _trouble(compute: Compute) -> str:
    return "" if compute.state is ComputeState.READY else f"  {compute_table.state(compute)}"


def _as_text(facts: list[tuple[str, str, str | None]], jobs: list[Job]) -> str:
    lines = [f"{word:<11}{text}" for word, text, _ in facts]
    return "\n".join([*lines, "", job_table.as_text(jobs), "", _MORE])


def _as_html(facts: list[tuple[str, str, str | None]], jobs: list[Job]) -> str:
    rows = []
    for word, text, link in facts:
        shown = escape(text)
        if link:
            shown = shown.replace(
                escape(link), f'<a href="{escape(link)}" target="_blank" rel="noopener">{escape(link)}</a>'
            )
        rows.append(
            f'<tr><td style="color:{_GREY};text-align:left">{word}</td>'
            f'<td style="text-align:left">{shown}</td></tr>'
        )
    head = f'<table style="font-size:13px">{"".join(rows)}</table>'
    return f'{head}{job_table.as_html(jobs)}<p style="color:{_GREY}">{escape(_MORE)}</p>'
