"""What is asked for when a job is run again: exactly as it was, but for what the user changes. Pure."""

from __future__ import annotations

from jupyter_mlws.model.job import Job, JobSpec, Rerun


def rerun_spec(job: Job, changes: Rerun, *, environment: str | None) -> JobSpec:
    """Return the specification of a run like `job`.

    It runs in the snapshot of the first run's folder where there is one, with the packages that the first
    run had (`environment`, the blob of its lock), and with the captured variables as they were. Parameters
    are merged over the original ones; whatever else `changes` holds replaces what was.
    """
    given = changes.model_dump(exclude_none=True, exclude={"parameters"})
    spec = job.spec.model_dump()
    return JobSpec.model_validate(
        {
            **spec,
            **given,
            "parameters": {**job.spec.parameters, **(changes.parameters or {})},
            "snapshot": job.has_snapshot,
            "environment": environment or job.spec.environment,
            "rerun_of": job.id,
        }
    )
