"""A list of jobs that shows itself as a table, in a notebook and as text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jupyter_mlws.client import card, wording
from jupyter_mlws.client.job import Job
from jupyter_mlws.model import job as records

EMPTY = "No jobs yet. Put %%mlws submit over a cell, or press ▷ in a notebook's toolbar."
HEADS = ("", "name", "id", "experiment", "time", "cost", "created")
_RIGHT = ("time", "cost")
_LONGEST_NAME = 48


class JobTable(list[Job]):
    """Jobs, newest first."""

    def __repr__(self) -> str:
        return as_text([job.record for job in self])

    def _repr_html_(self) -> str:
        return as_html([job.record for job in self])


def cells(job: records.Job) -> tuple[str, ...]:
    """Return what the table says of a job, under `HEADS`."""
    seconds = card.seconds_of(job)
    return (
        wording.state(job.status),
        wording.shorten(job.spec.name, _LONGEST_NAME),
        job.id,
        wording.shorten(job.spec.experiment, 24),
        wording.duration(seconds) if seconds else "",
        wording.cost(seconds, price_per_hour=job.price_per_hour) if seconds else "",
        wording.ago(job.created_at),
    )


def as_text(jobs: Sequence[records.Job]) -> str:
    """Return a table in text, a line a job."""
    if not jobs:
        return EMPTY
    rows = [HEADS, *map(cells, jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if head in _RIGHT else text.ljust(width)
            for head, text, width in zip(HEADS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def as_html(jobs: Sequence[records.Job]) -> str:
    """Return a table in HTML without script, in the colours of the page."""
    if not jobs:
        return f"<p>{escape(EMPTY)}</p>"
    heads = "".join(f'<th style="{_align(head)}">{head}</th>' for head in HEADS)
    rows = []
    for job in jobs:
        first, *others = cells(job)
        assert first
        body = [f"<td>{card.badge(job.status)}</td>"]
        for head, text in zip(HEADS[1:], others, strict=True):
            title = f' title="{job.created_at.astimezone():%Y-%m-%d %H:%M:%S}"' if head == "created" else ""
            shown = f"<code>{text}</code>" if head == "id" else escape(text)
            body.append(f'<td style="{_align(head)}"{title}>{shown}</td>')
        rows.append(f"<tr>{''.join(body)}</tr>")
    return (
        '<table style="font-size:13px;font-variant-numeric:tabular-nums">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _align(head: str) -> str:
    return f"text-align:{'right' if head in _RIGHT else 'left'}"
