"""Where a followed job is shown: a terminal as text, a notebook with its pictures and tables."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO

from jupyter_mlws.client import log_text, origin, wording
from jupyter_mlws.model.events import LogEvent, Message, Output

_MOST_TEXT = 8_000_000


class Screen(Protocol):
    """Shows events as they come."""

    rich: bool
    """Whether it shows pictures, so that large values are worth fetching."""

    def show(self, event: LogEvent) -> None:
        """Show one event."""


class TextScreen:
    """Writes text to a file, without colours where the file is no terminal.

    What is not the job's own output goes to the standard error.
    """

    rich = False

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = sys.stdout if file is None else file
        self._colours = self._file.isatty()

    def show(self, event: LogEvent) -> None:
        """Write the event's text, if it has any."""
        text = log_text.of_event(event)
        if isinstance(event, Message):
            sys.stderr.write(text)
        elif text:
            self._file.write(self.styled(text))
            self._file.flush()

    def styled(self, text: str) -> str:
        """Return `text` as this file can show it."""
        return text if self._colours else log_text.plain(text)


class NotebookScreen:
    """Puts a job's outputs under the cell that runs now, as if its code ran here.

    What a job prints beyond a few megabytes is left out and said to be: a page that had to show it, and a
    notebook that had to be saved with it, would be lost.
    """

    rich = True

    def __init__(self, *, job_id: str) -> None:
        self._job_id = job_id
        self._room = _MOST_TEXT

    def show(self, event: LogEvent) -> None:
        """Publish the event's output."""
        if not isinstance(event, Output):
            sys.stderr.write(log_text.of_event(event))
            return
        output: dict[str, Any] = dict(event.output)
        kind = output.get("output_type")
        if kind == "stream":
            file = sys.stderr if output.get("name") == "stderr" else sys.stdout
            file.write(self._as_much_as_fits(log_text.of_event(event)))
        elif kind == "error":
            sys.stderr.write(log_text.of_event(event))
        elif kind == "clear_output":
            from IPython.display import clear_output

            clear_output(wait=bool(output.get("wait")))  # type: ignore[no-untyped-call]
            self._room = _MOST_TEXT
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self._publish(output, event.display_id)

    def _as_much_as_fits(self, text: str) -> str:
        if self._room < 0:
            return ""
        shown = text[: self._room]
        self._room -= len(text)
        if self._room >= 0:
            return shown
        self._room = -1
        return (
            f"{shown}\n[The job {self._job_id} has printed more than {wording.size(_MOST_TEXT)}. The rest is "
            f"not shown here; see its end with: %mlws logs {self._job_id} -n 100]\n"
        )

    def _publish(self, output: dict[str, Any], display_id: str | None) -> None:
        from IPython.display import publish_display_data

        # An id of the job's kernel must not meet one of this kernel.
        transient = {"display_id": f"{self._job_id}-{display_id}"} if display_id else None
        publish_display_data(  # type: ignore[no-untyped-call]
            data={
                mime: "".join(v) if isinstance(v, list) else v for mime, v in output.get("data", {}).items()
            },
            metadata=output.get("metadata") or {},
            transient=transient,
            update=bool(transient) and output.get("output_type") == "update_display_data",
        )


def for_here(job_id: str) -> Screen:
    """Return the screen of this process: a notebook's cell, or the standard output."""
    return NotebookScreen(job_id=job_id) if origin.in_kernel() else TextScreen()
