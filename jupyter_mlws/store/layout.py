"""Where everything lies in a workspace folder. Nothing here touches the disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.blob_files import BLOBS
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.identity import ID_PATTERN

_JOB_ID = re.compile(ID_PATTERN)


class PathRefused(Invalid):
    """A job id, number or relative path that would not stay inside the workspace."""

    code = "path_refused"


@dataclass(frozen=True)
class Layout:
    """The paths of the workspace at `root`, an absolute folder."""

    root: Path

    @property
    def description(self) -> Path:
        """The file that makes a folder a workspace: id, name, format."""
        return self.root / "workspace.json"

    @property
    def database(self) -> Path:
        """SQLite's file."""
        return self.root / "mlws.db"

    @property
    def blobs(self) -> Path:
        """Root of the content-addressed store."""
        return self.root / BLOBS

    @property
    def jobs(self) -> Path:
        """Holds a folder for each job."""
        return self.root / "jobs"

    @property
    def tokens(self) -> Path:
        """Tokens of other servers, a file each."""
        return self.root / "tokens"

    @property
    def spares(self) -> Path:
        """Notes of kernels that wait on other servers, a file each; see kernels/remote/spares.py."""
        return self.root / "spares"

    @property
    def mlflow(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlflow"

    def job(self, job_id: str) -> Path:
        """Folder of a job. Raises `PathRefused` for what is no job id."""
        if _JOB_ID.fullmatch(job_id) is None:
            raise PathRefused(
                f"{job_id[:100]!r} is not the id of a job.", hint="Ids have 13 letters and digits."
            )
        return self.jobs / job_id

    def snapshot(self, job_id: str) -> Path:
        """The manifest of a job's snapshot."""
        return self.job(job_id) / "snapshot.json"

    def attempts(self, job_id: str) -> Path:
        """Holds a folder for each attempt at a job."""
        return self.job(job_id) / "attempts"

    def attempt(self, job_id: str, number: int) -> AttemptFiles:
        """The files of attempt `number` (from 1) at a job."""
        if number < 1:
            raise PathRefused(f"{number} is not the number of an attempt.", hint="They count from 1.")
        return AttemptFiles(self.attempts(job_id) / str(number))

    def relative(self, path: Path) -> str:
        """Return `path` as it is stored, so that the workspace can be moved. Raises `PathRefused`."""
        if not path.is_relative_to(self.root) or ".." in path.parts:
            raise PathRefused(f"{path} is not in the workspace {self.root}.")
        return path.relative_to(self.root).as_posix()

    def absolute(self, relative: str) -> Path:
        """Return the path that `relative` gave. Raises `PathRefused` when it would leave the workspace."""
        path = Path(relative)
        if path.is_absolute() or ".." in path.parts or "\0" in relative:
            raise PathRefused(f"{relative[:100]!r} is not a path inside the workspace.")
        return self.root / path
