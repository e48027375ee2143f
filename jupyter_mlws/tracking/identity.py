"""The run of an attempt and its experiment, known before MLflow is asked.

Ids of runs follow from the job and the attempt. The id of an experiment is looked up in MLflow's database,
which lies in the workspace, by reading alone; for a name that is not there an id is chosen, and MLflow's
server creates the experiment with that id when the run is shipped (tracking/chosen_ids.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

_LOWEST, _SPAN = 10**8, 2 * 10**9  # ids that fit in the column, beyond those that MLflow counts up
_BUSY_SECONDS = 2.0
_FILE = "run.json"


class RunIdentity(NamedTuple):
    """An MLflow run, the experiment that it is in, and where the experiment's artifacts lie."""

    run_id: str
    experiment_id: str
    experiment: str
    """The experiment's name."""
    location: str
    """URI under which the experiment keeps its artifacts, such as `mlflow-artifacts:/0`."""

    @property
    def artifact_root(self) -> str:
        """Path of the run's artifacts under the root of all artifacts, where MLflow's server keeps them."""
        scheme, _, path = self.location.partition(":")
        return f"{path.strip('/')}/{self.run_id}/artifacts" if scheme == "mlflow-artifacts" else ""


def run_id(job: str, attempt: int) -> str:
    """Return the id of the run of a job's attempt: 32 hexadecimal digits."""
    return hashlib.sha256(f"mlws run {job} {attempt}".encode()).hexdigest()[:32]


def identify(database: Path, *, job: str, attempt: int, experiment: str) -> RunIdentity:
    """Return the run of an attempt. Reads MLflow's database, which may be missing; a millisecond."""
    experiment_id, location = _experiment(database, experiment)
    return RunIdentity(run_id(job, attempt), experiment_id, experiment, location)


def write_identity(folder: Path, run: RunIdentity) -> None:
    """Keep with a spool which run it is of: its experiment may be renamed later."""
    incoming, content = folder / f".{_FILE}", json.dumps(run._asdict())
    try:
        incoming.write_text(content, encoding="utf-8")
    except FileNotFoundError:
        folder.mkdir(mode=0o700, exist_ok=True)
        incoming.write_text(content, encoding="utf-8")
    incoming.replace(folder / _FILE)


def read_identity(folder: Path) -> RunIdentity | None:
    """Return the run that the spool in `folder` is of; None when there is none."""
    try:
        return RunIdentity(**json.loads((folder / _FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _experiment(database: Path, name: str) -> tuple[str, str]:
    if database.exists():
        with contextlib.suppress(sqlite3.Error), contextlib.closing(_connect(database)) as connection:
            found = connection.execute(
                "SELECT experiment_id, artifact_location FROM experiments WHERE name = ?", (name,)
            ).fetchone()
            if found is not None:
                return str(found[0]), found[1]
            return _chosen(name, connection)
    return _chosen(name, None) if name != "Default" else ("0", _location("0"))


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, timeout=_BUSY_SECONDS)


def _chosen(name: str, connection: sqlite3.Connection | None) -> tuple[str, str]:
    """Return the same id for the same name, unless an experiment that was renamed has it."""
    number = 0
    while True:
        digest = hashlib.sha256(f"mlws experiment {number} {name}".encode()).digest()
        id = _LOWEST + int.from_bytes(digest[:8], "big") % _SPAN
        query = "SELECT 1 FROM experiments WHERE experiment_id = ?"
        if connection is None or connection.execute(query, (id,)).fetchone() is None:
            return str(id), _location(str(id))
        number += 1


def _location(experiment_id: str) -> str:
    return f"mlflow-artifacts:/{experiment_id}"
