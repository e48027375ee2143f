"""The jobs of a workspace: submit, get, list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

from jupyter_mlws.client import wording
from jupyter_mlws.client.async_job import AsyncJob
from jupyter_mlws.client.async_jobs import AsyncJobs, Progress
from jupyter_mlws.client.cell_job import prepare_cell
from jupyter_mlws.client.event_loop import EventLoop
from jupyter_mlws.client.job import FindAgain, Job
from jupyter_mlws.client.job_table import JobTable
from jupyter_mlws.client.notebook_job import place_on_disk, prepare_notebook
from jupyter_mlws.client.options import JobOptions, PriorityWord
from jupyter_mlws.client.prepared import Prepared
from jupyter_mlws.client.target import Target, prepare
from jupyter_mlws.model.answers import JobComparison
from jupyter_mlws.model.job import JobPage
from jupyter_mlws.model.job_query import JobQuery

_LARGE = 20_000_000


class Jobs:
    """Every job of a workspace."""

    def __init__(
        self, jobs: AsyncJobs, loop: EventLoop, *, say: Callable[[str], None], find_again: FindAgain
    ) -> None:
        self._jobs = jobs
        self._loop = loop
        self._say = say
        self._find_again = find_again

    def submit(
        self,
        target: Target,
        *arguments: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
        name: str | None = None,
        experiment: str = "Default",
        compute: str = "local",
        parameters: Mapping[str, object] | None = None,
        timeout: str | float | None = None,
        retries: int = 0,
        cpus: float = 1,
        memory: str | int | None = None,
        gpus: int = 0,
        priority: PriorityWord = "medium",
        inputs: Mapping[str, object] | None = None,
        outputs: Sequence[str] | None = None,
        snapshot: bool | None = None,
        kernel: str | None = None,
    ) -> Job:
        """Submit a notebook, a script or a function, and return at once.

        Args:
            target: Path of an `.ipynb` or `.py` file, or a function.
            arguments: Positional arguments of the function.
            args: More of them, as a sequence.
            kwargs: Its keyword arguments.
            name: What people read; by default the file's stem or the function's name.
            experiment: The group it is listed under, here and in MLflow; by default `Default`.
            compute: Where it runs.
            parameters: Values by name: literals, and lists and dicts of them. They reach a notebook in a cell
                after the one tagged `parameters`.
            timeout: Seconds of running, or a text such as `"2h"`; after it the job is ended as failed.
            retries: How often it is tried again when it fails.
            cpus: CPUs that it takes of its compute.
            memory: Bytes, or a text such as `"4G"` (powers of 1024); over it the job is ended as failed.
            gpus: GPUs that it takes.
            priority: `low`, `medium` or `high`: its order in the queue.
            inputs: Variables that a notebook or script finds assigned.
            outputs: Names of a notebook or script to bring back; a function's return value always is.
            snapshot: Run in a copy of the folder as it is now; by default notebooks and scripts do.
            kernel: A kernelspec's name, or the path of a Python; by default the notebook's own, or this one.

        Raises:
            FileMissing: There is no file at the path.
            NotANotebook: The file is no notebook.
            ParameterInvalid: A value is no literal. `ParameterUnknown`: the notebook does not have it.
            CannotCapture: A function or a value cannot be sent; it says which, and why.
            JobInvalid: Another value is not valid.
        """
        options = JobOptions(
            name=name,
            experiment=experiment,
            compute=compute,
            parameters=parameters,
            timeout=timeout,
            retries=retries,
            cpus=cpus,
            memory=memory,
            gpus=gpus,
            priority=priority,
            snapshot=snapshot,
            kernel=kernel,
        )
        prepared = prepare(
            target,
            args=(*arguments, *args),
            kwargs=kwargs,
            options=options,
            inputs=inputs,
            outputs=outputs,
        )
        return self.send(prepared)

    def submit_cell(
        self,
        code: str,
        *,
        options: JobOptions | None = None,
        namespace: MutableMapping[str, Any] | None = None,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> Job:
        """Submit code with the variables that it reads, as `%%mlws submit` does.

        `namespace` is where they are looked up, by default the notebook; `inputs` names those to send
        instead of what the code reads, `outputs` those to bring back instead of all that it assigns.
        Raises `CellSyntaxError`, `NameNotDefined`, `CannotCapture` or `JobInvalid`, before anything is sent.
        """
        return self.send(
            prepare_cell(
                code,
                options=options or JobOptions(),
                namespace=namespace,
                inputs=inputs,
                outputs=outputs,
            )
        )

    def submit_this_notebook(self, *, options: JobOptions | None = None) -> Job:
        """Submit the notebook of this kernel as it stands on the screen, saved or not.

        Raises `NotInNotebook`, `NotANotebook`, `ParameterUnknown` or `JobInvalid`.
        """
        found = self._loop.run(self._jobs.this_notebook())
        place = place_on_disk(found.path, found.folder)
        return self.send(
            prepare_notebook(place, options=options or JobOptions(), content=dict(found.content))
        )

    def send(self, prepared: Prepared) -> Job:
        """Send a job that was prepared. Large variables are announced, since they take a moment."""
        return self._held(self._loop.run(self._jobs.send(prepared, progress=self._progress())))

    def get(self, id: str) -> Job:
        """Return the job with this id. Raises `NotFound`."""
        return self._held(self._loop.run(self._jobs.get(id)))

    def find(self, word: str) -> Job:
        """Return the job with this id, or else the newest one of this name. Raises `NotFound`."""
        return self._held(self._loop.run(self._jobs.find(word)))

    def list(self, *, limit: int = 50, **filters: Any) -> JobTable:
        """Return at most `limit` jobs, newest first.

        `filters`: `status` (one or a list), `name`, `experiment`, `compute`, `kind`, `created_by`, `q` (part
        of the name), `metric` (only jobs that have it), `sort` (`created`, `ended`, `name`, `seconds`, and
        `metric`), `descending`. Raises `JobInvalid`.
        """
        if isinstance(filters.get("status"), str):
            filters["status"] = [filters["status"]]
        found = self._loop.run(self._jobs.list(limit=limit, **filters))
        return JobTable(map(self._held, found))

    def compare(self, jobs: Sequence[Job | str]) -> JobComparison:
        """Return the latest metrics and the parameters of jobs side by side; jobs or their ids."""
        return self._loop.run(
            self._jobs.compare([each if isinstance(each, str) else each.id for each in jobs])
        )

    def page(self, query: JobQuery) -> JobPage:
        """Return one page of records; `next` is the cursor of the page after it."""
        return self._loop.run(self._jobs.page(query))

    def _held(self, job: AsyncJob) -> Job:
        return Job(job, self._loop, find_again=self._find_again)

    def _progress(self) -> Progress:
        told = -1

        def tell(gone: int, total: int) -> None:
            nonlocal told
            quarter = 4 * gone // max(total, 1)
            if total >= _LARGE and quarter > told:
                told = quarter
                part = f"{wording.size(gone)} of " if quarter else ""
                self._say(f"sending the variables: {part}{wording.size(total)}")

        return tell
