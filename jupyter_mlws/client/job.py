"""One job, as a notebook or a script holds it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from jupyter_mlws.client import results, screens
from jupyter_mlws.client.async_job import AsyncJob
from jupyter_mlws.client.event_loop import EventLoop
from jupyter_mlws.model import job as records
from jupyter_mlws.model.errors import MlwsError, NotFound
from jupyter_mlws.model.events import LogEvent
from jupyter_mlws.model.status import JobStatus

FindAgain: TypeAlias = "Callable[[str, str], Job]"
"""Takes the folder of a workspace and the id of a job there; a function that pickle finds by its name."""


class Job:
    """A job of a workspace. Shown in a notebook it is its live card.

    It can be sent to another job or process: there it finds its workspace again.
    """

    def __init__(self, job: AsyncJob, loop: EventLoop, *, find_again: FindAgain) -> None:
        self._job = job
        self._loop = loop
        self._find_again = find_again

    @property
    def id(self) -> str:
        """Its id, 13 characters."""
        return self._job.id

    @property
    def name(self) -> str:
        """The name that people read."""
        return self._job.name

    @property
    def status(self) -> JobStatus:
        """Its status now: the server is asked, unless the job has ended."""
        if not self._job.status.is_terminal:
            self.refresh()
        return self._job.status

    @property
    def record(self) -> records.Job:
        """Everything that is known of the job, as of the last look."""
        return self._job.record

    @property
    def results(self) -> list[records.ResultItem]:
        """What can be brought back once the job has ended, and what cannot and why."""
        if not self._job.status.is_terminal:
            self.refresh()
        return self._job.results

    @property
    def metrics(self) -> dict[str, float | None]:
        """Latest value of each metric that the job logged to MLflow; None stands for NaN."""
        return self.refresh().metrics

    @property
    def traceback(self) -> str | None:
        """The traceback that the job's kernel reported last; None when there is none."""
        return self._loop.run(self._job.traceback())

    def refresh(self) -> records.Job:
        """Look at the job again and return its record. Raises `NotFound` when it was deleted."""
        return self._loop.run(self._job.refresh())

    def wait(self, timeout: str | float | None = None) -> Job:
        """Return this job once it has ended, whatever its status.

        `timeout` is in seconds, or a text such as `"10m"`; after it `WaitTimeout` is raised. An interrupt
        ends the waiting, never the job. A server that goes away is waited for.
        """
        self._loop.run(self._job.wait(timeout))
        return self

    def events(self, *, attempt: int | None = None) -> Iterator[LogEvent]:
        """Yield the job's events, from the first of the newest attempt (or of `attempt`) until its end."""
        for page in self._loop.iterate(self._job.event_pages(attempt=attempt)):
            yield from page

    def past_events(self, *, attempt: int | None = None) -> Iterator[LogEvent]:
        """Yield the events that are there now, of the newest attempt or of `attempt`."""
        for page in self._loop.iterate(self._job.past_pages(attempt=attempt)):
            yield from page

    def stream(self, screen: screens.Screen | None = None) -> Job:
        """Show the job's output as it comes until the job has ended, and return this job.

        It is shown under the running cell, pictures and tables too, or on the standard output. An interrupt
        ends the showing, never the job. A server that goes away is waited for.
        """
        shown = screen or screens.for_here(self.id)
        for page in self._loop.iterate(self._job.event_pages(whole=shown.rich)):
            for event in page:
                shown.show(event)
        return self

    def logs(self, *, attempt: int | None = None, tail: int | None = None) -> str:
        """Return what the newest attempt (or `attempt`) has printed so far, as text, and warnings about it.

        `tail` limits it to the last so many bytes of the log.
        """
        return self._loop.run(self._job.logs(attempt=attempt, tail=tail))

    def log_pieces(self, *, attempt: int | None = None) -> Iterator[str]:
        """Yield what `logs` returns a piece at a time, for logs that are larger than the memory."""
        yield from self._loop.iterate(self._job.log_pieces(attempt=attempt))

    def last_lines(self, count: int, *, attempt: int | None = None) -> str:
        """Return the last `count` lines of what `logs` returns, without reading all of a long log."""
        return self._loop.run(self._job.last_lines(count, attempt=attempt))

    def cancel(self) -> Job:
        """Ask for the job to be ended: interrupted, then terminated, then killed. Partial output is kept."""
        self._loop.run(self._job.cancel())
        return self

    def delete(self) -> None:
        """Delete the job with its output and results; one that runs is ended first."""
        self._loop.run(self._job.delete())

    def rerun(
        self,
        *,
        name: str | None = None,
        parameters: Mapping[str, object] | None = None,
        compute: str | None = None,
        timeout: str | float | None = None,
        retries: int | None = None,
        cpus: float | None = None,
        memory: str | int | None = None,
        gpus: int | None = None,
        priority: str | None = None,
    ) -> Job:
        """Run the job again exactly as it was, but for what is given; return the new job.

        `parameters` are merged over the old ones; `timeout` is in seconds or a text such as `"2h"`, `memory`
        in bytes or a text such as `"4G"`. Raises `JobInvalid`, `ParameterInvalid` or `QuantityInvalid`.
        """
        again = self._job.rerun(
            name=name,
            parameters=parameters,
            compute=compute,
            timeout=timeout,
            retries=retries,
            cpus=cpus,
            memory=memory,
            gpus=gpus,
            priority=priority,
        )
        return Job(self._loop.run(again), self._loop, find_again=self._find_again)

    def change(self, *, name: str | None = None, priority: str | None = None) -> Job:
        """Change the name or the priority (`low`, `medium`, `high`) of a job that waits."""
        self._loop.run(self._job.change(name=name, priority=priority))
        return self

    def result(self, name: str | None = None) -> Any:
        """Return the result called `name`, waiting for the end of the job.

        Without a name: all results that were kept, as a dict; of a function job, what the function returned.
        Functions and classes that come back are those of this notebook's `__main__`; large arrays are mapped
        from a file and not copied. Raises `JobFailed` (with the job's traceback), `JobCanceled`,
        `ResultUnknown`, `ResultNotKept` or `ResultUnreadable`.
        """
        # Loaded here and not in the client's thread: what a pickle does belongs to the caller.
        return results.unpack_all(self._loop.run(self._job.fetch_results(name)))

    def save_result(self, name: str, path: str | os.PathLike[str]) -> None:
        """Write the pack of one result to the file `path`. Raises `ResultUnknown` or `ResultNotKept`."""
        self._loop.run(self._job.save_result(name, Path(path)))

    def notebook(self) -> dict[str, Any]:
        """Return the executed notebook, in nbformat 4, as far as it has come."""
        return self._loop.run(self._job.notebook())

    def attempts(self) -> list[records.Attempt]:
        """Return its tries, the first one first."""
        return self._loop.run(self._job.attempts())

    def __repr__(self) -> str:
        return repr(self._job)

    def called(self, variable: str) -> Job:
        """Return this job, whose card from now on says that the notebook's `variable` holds it."""
        self._job.variable = variable
        return self

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        # Where the server does not answer it is shown as it was last seen. The card of a job that was
        # submitted just now needs no look: it fetches what is new by itself.
        try:
            if not self._job.is_fresh:
                self.refresh()
        except NotFound as error:
            return {"text/plain": f"{self._job!r}  {error.message}"}
        except MlwsError:
            pass
        return self._job._repr_mimebundle_()

    def __reduce__(self) -> tuple[Any, ...]:
        return self._find_again, (self._job.workspace["path"], self.id)
