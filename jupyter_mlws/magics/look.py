"""Commands that look: jobs, job, logs, result."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from html import escape
from typing import Any

from IPython.core.error import UsageError

from jupyter_mlws.client import wording
from jupyter_mlws.magics.session import Session
from jupyter_mlws.magics.shown import Shown, show
from jupyter_mlws.model.errors import NotFound


def jobs(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """List jobs."""
    filters = {
        "status": [status.capitalize() for status in options.status or []],
        "experiment": options.experiment,
        "name": options.name,
        "q": options.q,
    }
    found = session.workspace.jobs.list(limit=options.limit, **filters)
    if not found and any(filters.values()):
        print("No job matches. All of them: %mlws jobs")
        return
    show(found)


def job(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """Show a job's card."""
    show(session.job(options.target))


def logs(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """Show what a job printed, or follow it."""
    found = session.job(options.target)
    if options.follow:
        try:
            found.stream()
        except KeyboardInterrupt:
            raise UsageError(
                f"Stopped watching; the job {found.name!r} goes on. End it with: %mlws cancel {found.id}"
            ) from None
        return
    if options.lines is not None and options.lines < 1:
        raise UsageError(f"-n {options.lines}: give at least 1 line.")
    text = found.logs() if options.lines is None else found.last_lines(options.lines)
    if text:
        print(text, end="" if text.endswith("\n") else "\n")
        return
    yet = "" if found.refresh().status.is_terminal else " yet"
    print(f"The job {found.name!r} ({wording.state(found.status)}) has printed nothing{yet}.")


def result(session: Session, options: argparse.Namespace, _cell: str | None) -> Any:
    """Return a result, or all of them."""
    target, name = options.target, options.name
    if name is None and target is not None and _is_result_of_last(session, target):
        target, name = None, target
    return session.job(target).result(name)


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Shown:
    """Return a plain table; columns of figures are set to the right."""
    everything = [heads, *rows]
    figures = [all(map(_is_figure, column)) for column in zip(*rows, strict=True)] or [False] * len(heads)
    sides = ["right" if figure else "left" for figure in figures]
    widths = [max(len(row[column]) for row in everything) for column in range(len(heads))]
    text = "\n".join(
        "  ".join(
            cell.rjust(width) if figure else cell.ljust(width)
            for cell, width, figure in zip(row, widths, figures, strict=True)
        ).rstrip()
        for row in everything
    )
    head = "".join(f'<th style="text-align:{s}">{escape(h)}</th>' for h, s in zip(heads, sides, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align:{s}">{escape(c)}</td>' for c, s in zip(row, sides, strict=True))
        + "</tr>"
        for row in rows
    )
    style = "font-size:13px;font-variant-numeric:tabular-nums"
    return Shown(text, f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _is_figure(text: str) -> bool:
    """Whether a cell holds a number, an amount or a duration, or is empty."""
    return text.lstrip("$-−+ ")[:1].isdigit() or text in ("", "–", "—", "-")


def _is_result_of_last(session: Session, word: str) -> bool:
    """Return whether `word`, given alone, names a result of the last job and not a job."""
    last = session.last
    if last is None:
        return False
    try:
        return word in {item.name for item in last.wait().results}
    except NotFound:  # deleted since
        session.last = None
        return False
