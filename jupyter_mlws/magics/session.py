"""What the commands of one notebook share: the connection, and the last job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from jupyter_mlws.client import Job, Workspace
    from jupyter_mlws.model.workspace import Workspace as WorkspaceRecord

_DECIDES = ("MLWS_WORKSPACE", "MLWS_SERVER_URL", "MLWS_TOKEN", "MLWS_RUNTIME_FILE")


class Session:
    """The state of `%mlws` in one notebook."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.last: Job | None = None
        self._workspace: Workspace | None = None
        self._chosen_by: tuple[str | None, ...] = ()

    @property
    def is_connected(self) -> bool:
        """Whether a server has been found already."""
        return self._workspace is not None

    @property
    def workspace(self) -> Workspace:
        """The workspace; the first use connects, and a changed environment connects anew."""
        from jupyter_mlws.client import connect

        chosen_by = tuple(os.environ.get(name) for name in _DECIDES)
        if self._workspace is None or chosen_by != self._chosen_by:
            self.disconnect()
            self._workspace = connect(say=self.say)
            self._chosen_by = chosen_by
        return self._workspace

    def disconnect(self) -> None:
        """Forget the connection; the next use finds the server anew.

        It is not closed: jobs that the notebook holds still speak through it, and it ends with the last one.
        """
        self._workspace = None

    def go_on_with(self, workspace: WorkspaceRecord) -> None:
        """Use a workspace that the server has opened just now, in this notebook and in what it starts."""
        self.disconnect()
        self.last = None
        # Where it is set it comes before the workspace that was opened last, and names the one before.
        if os.environ.get("MLWS_WORKSPACE"):
            os.environ["MLWS_WORKSPACE"] = workspace.path

    def say(self, text: str) -> None:
        """Tell the user a line about the machinery."""
        print(f"mlws: {text}", flush=True)

    def remember(self, job: Job, *, variable: str = "job") -> None:
        """Make `job` the last one, and the value of `variable` in the notebook."""
        self.last = job
        self.shell.push({variable: job.called(variable)})

    def job(self, word: str | None) -> Job:
        """Return the job that `word` means: a variable that holds one, an id, a name; None is the last."""
        from jupyter_mlws.client import Job

        if word is None:
            if self.last is not None:
                return self.last
            newest = self.workspace.jobs.list(limit=1)
            if not newest:
                raise UsageError("There are no jobs yet. Put %%mlws submit over a cell.")
            return newest[0]
        held = self.shell.user_ns.get(word)
        if isinstance(held, Job):
            return held
        return self.workspace.jobs.find(word)
