"""Where the outputs of a job go: each to the log, and to the executed notebook."""

from __future__ import annotations

import itertools
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_mlws.model.events import FileValue
from jupyter_mlws.worker.event_log import EventLog
from jupyter_mlws.worker.executed_notebook import ExecutedNotebook
from jupyter_mlws.worker.rich_output import error_output, rich_output, without_nan
from jupyter_mlws.worker.streams import Piece, StreamMerger

_RICH = ("display_data", "execute_result", "update_display_data")


class Outputs:
    """Hears the messages of iopub, in order."""

    def __init__(self, *, log: EventLog, notebook: ExecutedNotebook, folder: Path) -> None:
        """`folder` is where large values are kept; it is made when it is needed."""
        self._log = log
        self._notebook = notebook
        self._folder = folder
        self._merger = StreamMerger()
        self._numbers = itertools.count(1)
        self._complained = False

    @property
    def holds(self) -> bool:
        """Whether text waits to be joined by more."""
        return self._merger.holds

    def begin(self, cell: int) -> None:
        """The cell with the index `cell` begins."""
        self._notebook.begin(cell)

    def end(self, cell: int, *, execution_count: int | None) -> None:
        """The cell with the index `cell` is over."""
        self.flush()
        self._notebook.end(cell, execution_count=execution_count)

    def hear(self, message: dict[str, Any], cell: int) -> None:
        """Take one message that belongs to the cell with the index `cell`."""
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            piece = Piece(cell, str(content.get("name", "stdout")), str(content.get("text", "")))
            if not self._notebook.captures(message):
                self._write(self._merger.add(piece, now=time.monotonic()))
                return
            # An Output widget shows it; the log has it as an output of the cell.
            self._write(self._merger.flush())
            self._log_pieces(_cut(piece))
        elif kind in _RICH:
            self._write(self._merger.flush())
            display_id = (content.get("transient") or {}).get("display_id")
            self._log_output(rich_output(kind, content, keep=self._keep), cell, display_id)
        elif kind == "error":
            self._write(self._merger.flush())
            output = error_output(content, keep=self._keep)
            message = {**message, "content": {**content, **output}}
            self._log_output(output, cell, None)
        elif kind == "clear_output":
            self._write(self._merger.flush())
            # What a widget shows is cleared in the widget; the log keeps what it showed.
            if not self._notebook.captures(message):
                wait = bool(content.get("wait"))
                self._log_output({"output_type": "clear_output", "wait": wait}, cell, None)
        self._to_notebook(message, cell)

    def flush(self) -> None:
        """Write everything that waits."""
        self._write(self._merger.flush())
        self._log.flush()

    def tick(self) -> None:
        """Write what has waited long enough."""
        if self._merger.due(time.monotonic()):
            self._write(self._merger.flush())
        self._log.flush()
        self.write_notebook(only_if_due=True)

    def write_notebook(self, *, only_if_due: bool = False) -> None:
        """Write the executed notebook; a disk that does not take it is no reason to end the job."""
        try:
            if only_if_due:
                self._notebook.write_if_due()
            else:
                self._notebook.write()
        except Exception:
            if not self._complained:
                self._complained = True
                traceback.print_exc()

    def _to_notebook(self, message: dict[str, Any], cell: int) -> None:
        try:
            self._notebook.hear(message, cell)
        except Exception:
            # A message that nbclient stumbles over (a broken widget) must not end the job; the log has it.
            print(f"The notebook could not take a {message['msg_type']}:", file=sys.stderr)
            traceback.print_exc()

    def _write(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._log_pieces([piece])
            self._notebook.stream(piece.cell, name=piece.name, text=piece.text)

    def _log_pieces(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            output = {"output_type": "stream", "name": piece.name, "text": piece.text}
            self._log_output(output, piece.cell, None)

    def _log_output(self, output: dict[str, Any], cell: int, display_id: str | None) -> None:
        try:
            self._log.append_output(output, cell=cell, display_id=display_id)
        except ValueError:
            self._log.append_output(without_nan(output), cell=cell, display_id=display_id)

    def _keep(self, extension: str, content: bytes) -> dict[str, Any]:
        name = f"{next(self._numbers)}.{extension}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / name).write_bytes(content)
        except OSError as error:
            self._log.failure = self._log.failure or error
        return FileValue(file=name, size=len(content)).model_dump()


def _cut(piece: Piece) -> Iterable[Piece]:
    merger = StreamMerger()
    yield from merger.add(piece, now=0.0)
    yield from merger.flush()
