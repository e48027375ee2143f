"""How a job shows itself: a line of text, a static HTML summary, and what the live card starts from.

The live card is drawn by the labextension from the MIME type here; the HTML stands where that is not
installed, holds no script, and takes its colours from the page, light or dark.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from jupyter_mlws.client import wording
from jupyter_mlws.client.prepared import Skipped
from jupyter_mlws.model.job import Job
from jupyter_mlws.model.status import JobStatus

MIME = "application/vnd.mlws.job+json"

_COLOURS = {
    JobStatus.COMPLETED: "var(--jp-success-color1, #1b873f)",
    JobStatus.FAILED: "var(--jp-error-color1, #cf222e)",
    JobStatus.RUNNING: "var(--jp-brand-color1, #0b72d9)",
    JobStatus.FINALIZING: "var(--jp-brand-color1, #0b72d9)",
}
_GREY = "var(--jp-ui-font-color2, #767676)"
_LINE = "var(--jp-border-color2, rgba(128, 128, 128, 0.35))"
_MOST_METRICS = 4


def bundle(
    job: Job, *, workspace: Mapping[str, str], skipped: Sequence[Skipped] = (), variable: str = "job"
) -> dict[str, object]:
    """Return the MIME bundle of a job: its card, and what stands in where the card is not known.

    `variable` is the notebook's name for the job, which the card uses when it says `job.result("model")`.
    """
    sent = job.spec.inputs.items if job.spec.inputs else []
    return {
        MIME: {
            "id": job.id,
            "workspace": workspace.get("id", ""),
            "workspace_name": workspace.get("name", ""),
            "name": job.spec.name,
            "kind": job.spec.kind.value,
            "status": job.status.value,
            "sent": [{"name": item.name, "type": item.type, "size": item.size} for item in sent],
            "skipped": [{"name": item.name, "reason": item.reason} for item in skipped],
            "created_at": job.created_at.isoformat(),
            "variable": variable,
        },
        "text/plain": text(job, skipped=skipped),
        "text/html": html(job, workspace=workspace, skipped=skipped),
    }


def seconds_of(job: Job, *, now: float | None = None) -> float:
    """Return how long the job has taken up to `now` (seconds since 1970); a running one goes on."""
    if not job.status.is_active or job.started_at is None:
        return job.seconds
    return max(job.seconds, (time.time() if now is None else now) - job.started_at.timestamp())


def line(job: Job, *, now: float | None = None) -> str:
    """Return the job in one line, such as `✓ Completed  train-churn  1 m 12 s  $0.002  (01k…)`."""
    parts = [wording.state(job.status), wording.shorten(job.spec.name, 60)]
    if seconds := seconds_of(job, now=now):
        parts += _time_and_cost(job, seconds)
    parts.append(f"({job.id})")
    return "  ".join(parts)


def _time_and_cost(job: Job, seconds: float) -> list[str]:
    cost = wording.cost(seconds, price_per_hour=job.price_per_hour)
    return [wording.duration(seconds), *([cost] if cost else [])]


def text(job: Job, *, skipped: Sequence[Skipped] = ()) -> str:
    """Return the job as text of a few lines."""
    lines = [line(job)]
    lines += [f"  {name:<8} {value}" for name, value in facts(job, skipped=skipped)]
    return "\n".join(lines)


def facts(job: Job, *, skipped: Sequence[Skipped] = ()) -> list[tuple[str, str]]:
    """Return what is to be told of a job beside its status, as pairs of a word and a text."""
    found = []
    if job.spec.inputs and job.spec.inputs.items:
        items = [f"{item.name} {item.type} ({wording.size(item.size)})" for item in job.spec.inputs.items]
        found.append(("sent", ", ".join(items)))
    if skipped:
        found.append(("skipped", ", ".join(f"{item.name} ({item.reason})" for item in skipped)))
    if job.message and not job.status.is_terminal:
        found.append(("now", job.message))
    if job.metrics:
        shown = list(job.metrics.items())[:_MOST_METRICS]
        found.append(("metrics", " · ".join(f"{name} {wording.value(number)}" for name, number in shown)))
    if job.error:
        found.append(("error", job.error.message))
        if job.error.hint:
            found.append(("hint", job.error.hint))
    kept = [item for item in job.results if item.error is None]
    lost = [item for item in job.results if item.error is not None]
    if kept:
        found.append(("results", ", ".join(f"{item.name} ({item.preview or item.type})" for item in kept)))
    if lost:
        found.append(("not kept", "; ".join(f"{item.name}: {item.error}" for item in lost)))
    return found


def badge(status: JobStatus) -> str:
    """Return shape and word of a status as HTML."""
    return (
        f'<span style="color:{_COLOURS.get(status, _GREY)};white-space:nowrap">{wording.state(status)}</span>'
    )


def html(job: Job, *, workspace: Mapping[str, str], skipped: Sequence[Skipped] = ()) -> str:
    """Return the static summary as HTML."""
    seconds = seconds_of(job)
    head = [
        badge(job.status),
        f"<b>{escape(wording.shorten(job.spec.name, 80))}</b>",
        f'<span style="color:{_GREY}">{escape(job.spec.compute)} · {escape(workspace.get("name", ""))} · '
        f"<code>{job.id}</code></span>",
    ]
    if seconds:
        told = " · ".join(_time_and_cost(job, seconds))
        head.append(f'<span style="font-variant-numeric:tabular-nums">{told}</span>')
    rows = "".join(
        f'<tr><td style="color:{_GREY};text-align:left;vertical-align:top;padding:0 12px 0 0">'
        f"{escape(name)}</td>"
        f'<td style="text-align:left;padding:0">{escape(value)}</td></tr>'
        for name, value in facts(job, skipped=skipped)
    )
    seen = datetime.now(UTC).astimezone()
    foot = (
        ""
        if job.status.is_terminal
        else f'<div style="color:{_GREY}">As of {seen:%H:%M:%S}; the live card needs our lab extension. '
        f"<code>%mlws job {job.id}</code> looks again.</div>"
    )
    return (
        f'<div style="border:1px solid {_LINE};border-radius:4px;padding:8px 12px;font-size:13px;'
        f'max-width:960px">'
        f'<div style="display:flex;gap:16px;flex-wrap:wrap;align-items:baseline">{"".join(head)}</div>'
        f'<table style="border:none;margin:4px 0 0 0;font-size:13px">{rows}</table>{foot}</div>'
    )
