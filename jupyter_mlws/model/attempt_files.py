"""The files by which a server and a worker speak of one attempt. Names alone: the disk is not touched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KERNEL_FOLDER = "mlws-k"
"""What the names of the folders of kernels' sockets begin with: these lie where their paths are short."""
CONNECTION_FILE = "kernel.json"
"""In such a folder, and on the command line of a kernel that was not forked."""


@dataclass(frozen=True)
class AttemptFiles:
    """The files of one attempt; who writes which is in the comments."""

    folder: Path

    @property
    def task(self) -> Path:
        """What to run; by the scheduler, before the worker starts."""
        return self.folder / "task.json"

    @property
    def claim(self) -> Path:
        """Created exclusively by the worker, or by the controller to declare that it never began."""
        return self.folder / "claim"

    @property
    def process(self) -> Path:
        """The worker's pid, start time and host; by the worker."""
        return self.folder / "process.json"

    @property
    def kernel_folder(self) -> Path:
        """Holds the path of the folder of the kernel's sockets; by the worker, before the kernel starts."""
        return self.folder / "kernel-folder"

    @property
    def remote(self) -> Path:
        """The other Jupyter server that the job runs on (`model.remote.Remote`); by its compute, if any."""
        return self.folder / "remote.json"

    @property
    def remote_kernel(self) -> Path:
        """How the kernel there is found; by the worker, before it asks for one and until it has ended it.

        Of a kernel that waited there it is the note of kernels/remote/spares.py, renamed.
        """
        return self.folder / "remote-kernel.json"

    @property
    def tracking(self) -> Path:
        """The MLflow run; by the server, before the worker starts."""
        return self.folder / "tracking.json"

    @property
    def tracking_elsewhere(self) -> Path:
        """The same as a kernel on another machine gets it, without the token; by the worker."""
        return self.folder / "tracking-elsewhere.json"

    @property
    def spool(self) -> Path:
        """Folder of what is logged with MLflow, until it is shipped; by kernel, worker and server."""
        return self.folder / "mlflow"

    @property
    def refused(self) -> Path:
        """What MLflow did not take of it, a line of JSON each; by MLflow's server (tracking/ship.py)."""
        return self.spool / "refused.jsonl"

    @property
    def cancel(self) -> Path:
        """Empty, asks the worker to end as canceled; by the server."""
        return self.folder / "cancel"

    @property
    def events(self) -> Path:
        """The event log; by the worker."""
        return self.folder / "events.jsonl"

    @property
    def notebook(self) -> Path:
        """The executed notebook; by the worker."""
        return self.folder / "notebook.ipynb"

    @property
    def outputs(self) -> Path:
        """Folder of large output values; by the worker."""
        return self.folder / "outputs"

    @property
    def results(self) -> Path:
        """Folder of packed results; by the worker."""
        return self.folder / "results"

    @property
    def results_index(self) -> Path:
        """Which file of `results` holds which name; by the kernel, where `capture/portable.py` names it."""
        return self.results / "results.json"

    @property
    def reserve(self) -> Path:
        """Takes up room that the last events get when the disk is full; by the worker."""
        return self.folder / "reserve"

    @property
    def work(self) -> Path:
        """The snapshot made real, where snapshot jobs run."""
        return self.folder / "work"

    @property
    def log(self) -> Path:
        """What the worker process itself printed."""
        return self.folder / "worker.log"
