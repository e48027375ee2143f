"""The latest metrics and the parameters of jobs, in tables with an index on key and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from jupyter_mlws.store.tables import job_metrics, job_params
from jupyter_mlws.store.transaction import Transaction


class RunValues(NamedTuple):
    """What the run of a job has: a metric is None for NaN."""

    metrics: dict[str, float | None]
    params: dict[str, str]


def save(
    tx: Transaction, job: str, *, metrics: Mapping[str, float | None], params: Mapping[str, str]
) -> None:
    """Make these the metrics and parameters of a job; what it had besides is removed."""
    stored = read(tx, [job]).get(job, RunValues({}, {}))
    for table, before, after in (
        (job_metrics, stored.metrics, metrics),
        (job_params, stored.params, params),
    ):
        gone = [key for key in before if key not in after or before[key] != after[key]]
        new = [key for key in after if key not in before or before[key] != after[key]]
        if gone:
            tx.connection.execute(
                table.delete().where(table.c.job_id == job, table.c.key == sa.bindparam("gone")),
                [{"gone": key} for key in gone],
            )
        if new:
            tx.connection.execute(
                table.insert(), [{"job_id": job, "key": key, "value": after[key]} for key in new]
            )


def read(tx: Transaction, jobs: Sequence[str]) -> dict[str, RunValues]:
    """Return what the given jobs have, by their ids; one that has nothing may be missing."""
    found: dict[str, RunValues] = {}
    for place, table in enumerate((job_metrics, job_params)):
        rows = tx.connection.execute(
            sa.select(table.c.job_id, table.c.key, table.c.value)
            .where(table.c.job_id.in_(jobs))
            .order_by(table.c.job_id, table.c.key)
        )
        for job, key, value in rows:
            found.setdefault(job, RunValues({}, {}))[place][key] = value
    return found
