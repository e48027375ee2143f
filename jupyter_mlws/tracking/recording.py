"""What the server records of a job: tags, parameters, code, packages, inputs, the executed notebook, the end.

All of it is appended to the attempt's spool, as what the job itself logs is, and shipped with it in order.
Everything here writes to the disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from jupyter_mlws.model.job import Inputs, Job, JobKind
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.tracking.git import GitState
from jupyter_mlws.tracking.identity import RunIdentity
from jupyter_mlws.tracking.limits import PAIRS_A_BATCH, artifact_name, batches, fitting_params, fitting_tags
from jupyter_mlws.tracking.spool import FILES, Spool

CELL = "code/cell.py"
PACKAGES = "environment/requirements.txt"
INPUTS = "inputs.json"
NOTEBOOK = "notebook.ipynb"
LONG_PARAMETERS = "parameters.json"
"""Artifact with all parameters whole, written when one is longer than MLflow takes."""
JOB_TAG = "mlws.job"
ATTEMPT_TAG = "mlws.attempt"
_RUN_TAG = "mlws.wished_run_id"  # as in tracking/chosen_ids.py, which imports mlflow
_EXPERIMENT_TAG = "mlws.wished_experiment"
_STATUS = {JobStatus.COMPLETED: "FINISHED", JobStatus.FAILED: "FAILED", JobStatus.CANCELED: "KILLED"}
_SOURCE_TYPE = {JobKind.NOTEBOOK: "NOTEBOOK"}


def job_tags(job: Job, *, git: GitState | None = None) -> dict[str, str]:
    """Return the tags of a job's run: MLflow's own of source, user and commit, and ours under `mlws.`."""
    spec = job.spec
    source = spec.path or spec.origin.notebook or spec.name
    tags = {
        "mlflow.user": job.created_by,
        "mlflow.source.name": source,
        "mlflow.source.type": _SOURCE_TYPE.get(spec.kind, "LOCAL"),
        "mlws.kind": str(spec.kind),
        "mlws.compute": spec.compute,
    }
    if spec.rerun_of:
        tags["mlws.rerun_of"] = spec.rerun_of
    return tags | git_tags(git)


def git_tags(git: GitState | None) -> dict[str, str]:
    """Return the tags for a folder's git state; none when it is in no repository."""
    if git is None or git.commit is None:
        return {}
    tags = {"mlflow.source.git.commit": git.commit, "mlws.git.dirty": str(git.dirty).lower()}
    if git.branch:
        tags["mlflow.source.git.branch"] = git.branch
    return tags


class RunRecord:
    """Appends to the spool of an attempt, all at once when it is closed. Whoever makes one also closes it."""

    def __init__(self, folder: Path, run: RunIdentity) -> None:
        self._folder = folder
        self._run = run
        self._spool = Spool(str(folder))
        self._records: list[str] = []

    def __enter__(self) -> RunRecord:
        """Return this."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Append what there is, also after an error, and close the file. Raises OSError."""
        try:
            if self._records:
                self._spool.append("\n".join(self._records).encode())
        finally:
            self._spool.close()

    def begin(self, *, name: str, started_at: datetime, tags: Mapping[str, str]) -> None:
        """Create the run, and the experiment if need be."""
        wishes = {_RUN_TAG: self._run.run_id, _EXPERIMENT_TAG: self._run.experiment}
        body = {
            "experiment_id": self._run.experiment_id,
            "run_name": name,
            "start_time": milliseconds(started_at),
            "tags": _pairs({**fitting_tags(tags), **wishes}),
        }
        self._append({"method": "POST", "path": "/api/2.0/mlflow/runs/create", "body": body})

    def params(self, params: Mapping[str, object]) -> None:
        """Log parameters; those longer than MLflow takes (6,000 characters) are cut, and whole in a file."""
        texts, cut = fitting_params(params)
        for some in batches(texts, PAIRS_A_BATCH):
            self._append({"run": self._run.run_id, "params": _pairs(dict(some))})
        if cut:
            whole = json.dumps(params, indent=1, ensure_ascii=False, default=repr)
            self.artifact(LONG_PARAMETERS, whole.encode("utf-8", "replace"))

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags; values over 8,000 characters are cut."""
        for some in batches(fitting_tags(tags), PAIRS_A_BATCH):
            self._append({"run": self._run.run_id, "tags": _pairs(dict(some))})

    def cell(self, source: str) -> None:
        """Write the source of a cell, or of a function, as the artifact `code/cell.py`."""
        self.artifact(CELL, source.encode("utf-8", "replace"))

    def source(self, name: str, file: Path) -> None:
        """Copy the notebook or script that was submitted to an artifact in `code/`."""
        self._file(f"code/{artifact_name(Path(name).name)}", self._spool.keep(str(file)))

    def packages(self, packages: Sequence[str]) -> None:
        """Write the installed distributions (`name==version`) as `environment/requirements.txt`."""
        self.artifact(PACKAGES, "".join(f"{line}\n" for line in packages).encode())

    def inputs(self, inputs: Inputs) -> None:
        """Write names, types, sizes and hashes of the captured variables as the artifact `inputs.json`."""
        content = json.dumps(inputs.model_dump(mode="json"), indent=1, ensure_ascii=False)
        self.artifact(INPUTS, content.encode())

    def notebook(self, file: Path) -> None:
        """Copy the executed notebook to the artifact `notebook.ipynb`."""
        self._file(NOTEBOOK, self._spool.keep(str(file)))

    def artifact(self, path: str, content: bytes) -> None:
        """Write an artifact of the run."""
        self._file(path, self._spool.keep_content(content))

    def end(self, *, status: JobStatus, at: datetime) -> None:
        """End the run: Completed becomes FINISHED, Failed FAILED, Canceled KILLED; children likewise."""
        self._append(
            {
                "end": self._run.run_id,
                "experiment": self._run.experiment_id,
                "status": _STATUS[status],
                "end_time": milliseconds(at),
            }
        )

    def _file(self, path: str, name: str) -> None:
        if self._run.artifact_root:
            self._append({"artifact": f"{self._run.artifact_root}/{path}", "file": name})
        else:
            # The experiment keeps its artifacts where only MLflow's own client can put them.
            (self._folder / FILES / name).unlink()

    def _append(self, record: Mapping[str, object]) -> None:
        self._records.append(json.dumps(record, separators=(",", ":")))


def run_tags(job: Job, *, attempt: int) -> dict[str, str]:
    """Return all tags that the run of an attempt has from its start."""
    return {**job_tags(job), JOB_TAG: job.id, ATTEMPT_TAG: str(attempt)}


def milliseconds(at: datetime) -> int:
    """Return a moment as MLflow has it: milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
