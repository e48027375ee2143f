"""Jobs side by side: what each has of metrics and parameters. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jupyter_mlws.model.answers import ComparedJob, JobComparison
from jupyter_mlws.model.job import Job
from jupyter_mlws.store.run_values import RunValues


def comparison(jobs: Iterable[Job], values: Mapping[str, RunValues]) -> JobComparison:
    """Return `jobs` with what `values` has of each by its id."""
    nothing = RunValues({}, {})
    compared = [
        ComparedJob(
            id=job.id,
            name=job.spec.name,
            experiment=job.spec.experiment,
            status=job.status,
            created_at=job.created_at,
            metrics=values.get(job.id, nothing).metrics,
            params=values.get(job.id, nothing).params,
        )
        for job in jobs
    ]
    return JobComparison(
        jobs=compared,
        metrics=sorted({name for each in compared for name in each.metrics}),
        params=sorted({name for each in compared for name in each.params}),
    )
