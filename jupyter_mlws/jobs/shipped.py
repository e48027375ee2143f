"""What MLflow has of a job whose run has ended, and how the job's rows take it over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from jupyter_mlws.store import jobs as rows
from jupyter_mlws.store import run_values
from jupyter_mlws.store.run_values import RunValues
from jupyter_mlws.store.transaction import Transaction

AWAY = "What the job logged gets to MLflow once its server answers"
"""Message of a job that ended meanwhile."""


class Shipped(NamedTuple):
    """What MLflow has of an attempt whose end it was told."""

    values: RunValues
    refused: str | None
    """A sentence about what MLflow did not take."""


def mirror(tx: Transaction, shipped: Iterable[tuple[tuple[str, int], Shipped]]) -> None:
    """Write what MLflow has of attempts, given by job and number, unless there are later ones."""
    for (id, attempt), each in shipped:
        job = rows.find(tx, id)
        if job is None or job.attempt != attempt:
            continue
        metrics, params = each.values
        run_values.save(tx, id, metrics=metrics, params=params)
        if job.status.is_terminal:
            message = each.refused if job.message == AWAY else job.message
            if (job.metrics, job.message) != (metrics, message):
                rows.save(tx, job.model_copy(update={"metrics": metrics, "message": message}))


def refusals(file: Path) -> str | None:
    """Return a sentence about what MLflow did not take, as `refused.jsonl` has it; None: it took all."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        first = json.loads(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    more = f" {len(lines) - 1} more are in the job's log." if len(lines) > 1 else ""
    return f"MLflow did not take {first['what']}: {first['message'].rstrip('.')}.{more}"
