"""Where everything lies in a workspace folder. Nothing here touches the disk but `runtime_folder`."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlws.model.attempt_files import AttemptFiles
from jupyter_mlws.model.errors import Invalid, NotAllowed
from jupyter_mlws.model.identity import ID_PATTERN

_JOB_ID = re.compile(ID_PATTERN)


class PathRefused(Invalid):
    """A job id, number or relative path that would not stay inside the workspace."""

    code = "path_refused"


class RuntimeFolderUnsafe(NotAllowed):
    """The folder for sockets belongs to somebody else, or others may enter it."""

    code = "runtime_folder_unsafe"


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
        return self.root / "blobs"

    @property
    def jobs(self) -> Path:
        """Holds a folder for each job."""
        return self.root / "jobs"

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


def runtime_folder(workspace_id: str) -> Path:
    """Return the short folder for sockets and runtime files, made if missing, for this user alone (0700).

    It lies in `$XDG_RUNTIME_DIR/mlws` when that variable names a folder that can be written, else in
    `mlws-<uid>` of the folder for temporary files: the path of a socket holds about 100 bytes.
    Raises `RuntimeFolderUnsafe` when somebody else made it.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{8,64}", workspace_id):
        raise PathRefused(f"{workspace_id[:100]!r} is not the id of a workspace.")
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = bool(given) and Path(given).is_dir() and os.access(given, os.W_OK | os.X_OK)
    top = Path(given) / "mlws" if usable else Path(tempfile.gettempdir()) / f"mlws-{os.getuid()}"
    folder = top / workspace_id[:12]
    for each in (top, folder):
        each.mkdir(mode=0o700, exist_ok=True)
        _make_sure_it_is_ours(each)
    return folder


def _make_sure_it_is_ours(folder: Path) -> None:
    # In a shared /tmp anybody could have made the folder first, to listen to our sockets.
    seen = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or seen.st_uid != os.getuid():
        raise RuntimeFolderUnsafe(
            f"The runtime folder {folder} does not belong to you.",
            hint="Remove it, or set XDG_RUNTIME_DIR to a folder of your own.",
        )
    if seen.st_mode & 0o077:
        folder.chmod(0o700)
