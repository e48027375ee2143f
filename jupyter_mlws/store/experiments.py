"""The experiments that jobs were submitted to; an experiment is a name, and MLflow keeps its runs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from jupyter_mlws.store.tables import deleted, jobs
from jupyter_mlws.store.transaction import Transaction


class Experiment(NamedTuple):
    """An experiment with the number of its jobs and the moment when the last was submitted."""

    name: str
    jobs: int
    last: datetime


def experiments(tx: Transaction) -> list[Experiment]:
    """Return all experiments that have jobs, the one used last first; deleted jobs are not counted."""
    last = sa.func.max(jobs.c.created_at, type_=jobs.c.created_at.type)
    rows = tx.connection.execute(
        sa.select(jobs.c.experiment, sa.func.count(), last)
        .where(jobs.c.id.not_in(deleted()))
        .group_by(jobs.c.experiment)
        .order_by(last.desc(), jobs.c.experiment)
    )
    return [Experiment(name=name, jobs=number, last=moment) for name, number, moment in rows]
