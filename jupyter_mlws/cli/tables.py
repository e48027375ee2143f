"""What the commands show in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jupyter_mlws.client import card, compute_table, job_table, wording
from jupyter_mlws.model.compute import Compute
from jupyter_mlws.model.job import Attempt, Job, JobKind
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.model.workspace import Workspace

_STYLES = {
    JobStatus.COMPLETED: "green",
    JobStatus.FAILED: "red",
    JobStatus.RUNNING: "cyan",
    JobStatus.FINALIZING: "cyan",
}


def jobs(records: Sequence[Job]) -> RenderableType:
    """Return a line for each job, or the first step where there are none."""
    if not records:
        return "No jobs yet. Submit one: jupyter mlws job submit train.ipynb"
    table = _table(*job_table.HEADS, right=("time", "cost"))
    for record in records:
        state, *others = job_table.cells(record)
        table.add_row(Text(state, style=_style(record.status)), *map(Text, others))
    return table


def job(record: Job, attempts: Sequence[Attempt]) -> RenderableType:
    """Return everything that is known of a job."""
    spec = record.spec
    facts = Table.grid(padding=(0, 2))
    rows = [
        ("id", record.id),
        ("kind", spec.kind.value),
        ("experiment", spec.experiment),
        ("compute", f"{spec.compute}  {_resources(record)}"),
        ("created", f"{record.created_at.astimezone():%Y-%m-%d %H:%M:%S} by {record.created_by}"),
        ("folder", f"{spec.folder or ''}{f'/{spec.path}' if spec.path else ''}"),
        ("parameters", ", ".join(f"{name}={value!r}" for name, value in spec.values.items())),
        ("MLflow run", record.run_id or ""),
        ("memory", f"at most {wording.size(record.memory_peak)}" if record.memory_peak else ""),
        ("re-run of", spec.rerun_of or ""),
        *card.facts(record),
    ]
    for name, value in rows:
        if value:
            facts.add_row(Text(name, style="dim"), Text(value))
    for attempt in attempts if len(attempts) > 1 else ():
        reason = f": {attempt.error.message}" if attempt.error else ""
        facts.add_row(Text(f"attempt {attempt.number}", style="dim"), Text(f"{attempt.status}{reason}"))
    return Group(Text(card.line(record), style=_style(record.status)), facts)


def results(record: Job) -> RenderableType:
    """Return what a job kept, and what it could not keep."""
    if not record.results:
        hint = (
            " Name the variables to keep when you submit it: --out A,B."
            if record.spec.kind in (JobKind.NOTEBOOK, JobKind.SCRIPT) and not record.spec.outputs
            else ""
        )
        return f"The job {record.spec.name!r} kept no results.{hint}"
    table = _table("name", "type", "size", "", right=("size",))
    for item in record.results:
        size = "" if item.size is None else wording.size(item.size)
        note = Text(f"not kept: {item.error}", style="red") if item.error else Text(item.preview or "")
        table.add_row(Text(item.name), Text(item.type), size, note)
    return table


def computes(found: Sequence[Compute]) -> RenderableType:
    """Return a line for each compute."""
    table = _table(*compute_table.HEADS, right=compute_table.FIGURES)
    for each in found:
        table.add_row(*map(Text, compute_table.cells(each)))
    return table


def facts(title: str, pairs: Sequence[tuple[str, str]]) -> RenderableType:
    """Return a title, and below it a line for each pair of a word and a text."""
    grid = Table.grid(padding=(0, 2))
    for word, text in pairs:
        grid.add_row(Text(word, style="dim"), Text(text))
    return Group(Text(title), grid)


def workspaces(found: Sequence[Workspace]) -> RenderableType:
    """Return a line for each workspace; a dot marks the open one."""
    table = _table("", "name", "folder")
    for each in found:
        table.add_row("●" if each.current else "", Text(each.name), Text(each.path))
    return table


def _table(*heads: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(head, justify="right" if head in right else "left", no_wrap=True)
    return table


def _style(status: JobStatus) -> str:
    return _STYLES.get(status, "dim")


def _resources(record: Job) -> str:
    asked = record.spec.resources
    parts = [f"{asked.cpus:g} CPU{'s' if asked.cpus != 1 else ''}"]
    if asked.memory:
        parts.append(wording.size(asked.memory))
    if asked.gpus:
        parts.append(f"{asked.gpus} GPU{'s' if asked.gpus != 1 else ''}")
    return ", ".join(parts)
