"""A workspace with many ended jobs, as the months leave it: the store's own rows, written in bulk."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Job, JobKind, JobSpec
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import job_rows, tables, workspaces
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout

METRICS = ("accuracy", "loss", "roc_auc")
PARAMS = ("depth", "learning_rate", "seed")
_START = datetime(2025, 1, 1, tzinfo=UTC)
_BATCH = 5_000
_CODE = "model = fit(table, depth=depth, learning_rate=learning_rate)\nprint(score(model))\n" * 6


def fill(layout: Layout, *, jobs: int, seed: int = 1) -> None:
    """Make the workspace at `layout`, and in it `jobs` jobs that have all ended.

    They are of 40 experiments, of which a few have most jobs; of 2,000 names; on five computes; four of five
    have metrics.
    """
    workspaces.open(layout)
    database = Database.open(layout)
    chance = random.Random(seed)
    try:
        for first in range(0, jobs, _BATCH):
            made = [_job(number, chance) for number in range(first, min(first + _BATCH, jobs))]
            _write(database, made, chance)
    finally:
        database.close()


def _job(number: int, chance: random.Random) -> Job:
    # As in life: a few experiments hold most jobs.
    experiment = min(int(chance.expovariate(0.15)), 39)
    created = _START + timedelta(seconds=200 * number + chance.random() * 200)
    seconds = chance.expovariate(1 / 90)
    status = chance.choices((JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED), weights=(85, 13, 2))[
        0
    ]
    kind = chance.choice((JobKind.CELL, JobKind.SCRIPT))
    return Job(
        id=new_id(now_ms=int(1000 * created.timestamp())),
        spec=JobSpec(
            kind=kind,
            name=f"train {chance.choice(('Forest', 'boosting', 'réseau', 'linear'))} {number % 500}",
            experiment=f"experiment {experiment}",
            compute="local" if chance.random() < 0.7 else f"gateway-{number % 4}",
            code=_CODE,
            path="train.py",
            folder="/home/ada/models",
        ),
        status=status,
        created_by=chance.choice(("ada", "grace", "emmy", "sofia")),
        created_at=created,
        started_at=created + timedelta(seconds=1),
        ended_at=created + timedelta(seconds=1 + seconds),
        seconds=seconds,
    )


def _write(database: Database, made: list[Job], chance: random.Random) -> None:
    metrics = [
        {"job_id": job.id, "key": key, "value": chance.random()}
        for job in made
        if chance.random() < 0.8
        for key in METRICS
    ]
    params = [
        {"job_id": job.id, "key": key, "value": str(chance.randrange(50))} for job in made for key in PARAMS
    ]
    records = [{"job_id": job.id, "record": job_rows.job_to_json(job)} for job in made]
    specs = [{"job_id": job.id, "spec": job_rows.spec_to_json(job.spec)} for job in made]
    with database.write() as tx:
        for table, rows in (
            (tables.jobs, [job_rows.job_to_row(job) for job in made]),
            (tables.job_records, records),
            (tables.job_specs, specs),
            (tables.job_metrics, metrics),
            (tables.job_params, params),
        ):
            tx.connection.execute(table.insert(), rows)
