"""What is recorded of a job in its run: tags, parameters, code, packages, inputs, the executed notebook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlws.model.job import Inputs, Job, JobKind
from jupyter_mlws.tracking.git import GitState
from jupyter_mlws.tracking.limits import artifact_name
from jupyter_mlws.tracking.runs import Runs

CELL = "code/cell.py"
PACKAGES = "environment/requirements.txt"
INPUTS = "inputs.json"
NOTEBOOK = "notebook.ipynb"
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


async def record_cell(runs: Runs, run_id: str, *, source: str) -> None:
    """Write the source of a cell, or of a function, as the artifact `code/cell.py`."""
    await runs.log_artifact_bytes(run_id, path=CELL, content=source.encode("utf-8", "replace"))


async def record_source(runs: Runs, run_id: str, *, name: str, file: Path) -> None:
    """Copy the notebook or script that was submitted to an artifact in `code/`; `name` may hold folders."""
    await runs.log_artifact_file(run_id, path=f"code/{artifact_name(Path(name).name)}", file=file)


async def record_packages(runs: Runs, run_id: str, *, packages: Sequence[str]) -> None:
    """Write the installed distributions (`name==version`) as the artifact `environment/requirements.txt`."""
    content = "".join(f"{line}\n" for line in packages).encode()
    await runs.log_artifact_bytes(run_id, path=PACKAGES, content=content)


async def record_inputs(runs: Runs, run_id: str, *, inputs: Inputs) -> None:
    """Write names, types, sizes and hashes of the captured variables as the artifact `inputs.json`."""
    content = json.dumps(inputs.model_dump(mode="json"), indent=1, ensure_ascii=False).encode()
    await runs.log_artifact_bytes(run_id, path=INPUTS, content=content)


async def record_notebook(runs: Runs, run_id: str, *, file: Path) -> None:
    """Copy the executed notebook to the artifact `notebook.ipynb`."""
    await runs.log_artifact_file(run_id, path=NOTEBOOK, file=file)
