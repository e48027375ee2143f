"""The executed notebook: what JupyterLab would have made of the same messages, written as the job runs."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_mlws.worker.head_tail import HeadTail

# jsonschema, which nbformat imports, builds a grammar for internationalized URLs (0.8 s) where it finds
# this optional package; nothing here checks such URLs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from nbclient import NotebookClient  # noqa: E402
from nbformat import NotebookNode, from_dict  # noqa: E402

from jupyter_mlws.worker.output_widget import BoundedOutputWidget  # noqa: E402

_FIRST_OUTPUTS = 1000
_LAST_OUTPUTS = 200
_LARGEST_CELL = 64 << 20  # characters of rich outputs kept of one cell
_LEAST_SECONDS = 1.0
_SHARE_OF_TIME = 0.05  # of the worker's time goes into writing the notebook, where it is large


class ExecutedNotebook(NotebookClient):
    """Collects outputs into a notebook, with nbclient's handling of displays, widgets and comms.

    Long streams keep head and tail; of very many outputs the first and the last are kept.
    """

    def __init__(self, notebook: dict[str, Any], *, path: Path, client: Any) -> None:
        """`notebook` is nbformat 4.5; `path` is where it is written; `client` answers Output widgets."""
        super().__init__(_node(notebook))
        self.kc = client
        self.widget_registry["@jupyter-widgets/output"]["OutputModel"] = BoundedOutputWidget
        self._path = path
        self._texts: dict[int, tuple[NotebookNode, HeadTail]] = {}
        self._sizes: dict[int, int] = {}
        self._last: dict[int, deque[NotebookNode]] = {}
        self._left_out: dict[int, int] = {}
        self._changed = True
        self._written_at = 0.0
        self._pause = _LEAST_SECONDS

    def begin(self, index: int) -> None:
        """The cell `index` begins."""
        cell = self.nb.cells[index]
        cell.outputs = []
        cell.metadata["execution"] = {"iopub.status.busy": _now()}
        self.clear_before_next_output = False
        self._changed = True

    def end(self, index: int, *, execution_count: int | None) -> None:
        """The cell `index` is over."""
        cell = self.nb.cells[index]
        cell.execution_count = execution_count
        cell.metadata.setdefault("execution", {}).update(
            {"shell.execute_reply": _now(), "iopub.status.idle": _now()}
        )
        self._render_texts()
        self._texts.clear()
        self._changed = True

    def captures(self, message: dict[str, Any]) -> bool:
        """Whether an Output widget takes this output in the place of the cell."""
        return bool(self.output_hook_stack.get(message["parent_header"].get("msg_id")))

    def hear(self, message: dict[str, Any], index: int) -> None:
        """Take any message of iopub but streams of the cell itself."""
        cell = self.nb.cells[index]
        if cell.cell_type != "code":
            return
        cell.metadata.setdefault("execution", {})
        self._changed = True
        self.process_message(message, cell, index)

    def stream(self, index: int, *, name: str, text: str) -> None:
        """Take text that the cell `index` printed."""
        cell = self.nb.cells[index]
        if cell.cell_type != "code":
            return
        self._clear_if_asked(cell, index)
        self._changed = True
        outputs = self._last.get(index) or cell.outputs
        if outputs and outputs[-1].output_type == "stream" and outputs[-1].name == name:
            known = self._texts.get(id(outputs[-1]))
            if known is not None:
                known[1].add(text)
                return
        node = _node({"output_type": "stream", "name": name, "text": ""})
        merged = HeadTail()
        merged.add(text)
        self._texts[id(node)] = (node, merged)
        self._place(cell.outputs, node, index)

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Take an output; overrides nbclient's, which keeps everything."""
        before = len(outs)
        if len(outs) >= _FIRST_OUTPUTS and not self.captures(msg) and not self.clear_before_next_output:
            # nbclient would append it; where it would stand is the place of those that were left out.
            spare: list[NotebookNode] = []
            node = super().output(spare, msg, None, cell_index)
            if node is not None:
                self._place(outs, self._within_limit(node, cell_index), cell_index)
            return node
        node = super().output(outs, msg, display_id, cell_index)
        if node is not None:
            if len(outs) <= before:
                self._forget(cell_index)
            self._within_limit(node, cell_index)
        return node

    def clear_output(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Clear the outputs, now or before the next one."""
        super().clear_output(outs, msg, cell_index)
        if not outs:
            self._forget(cell_index)

    def remove_output_hook(self, msg_id: str, hook: Any) -> None:
        """Take an Output widget off; nbclient's fails where the widget was not on."""
        hooks = self.output_hook_stack[msg_id]
        if hook in hooks:
            hooks.remove(hook)

    def write_if_due(self) -> None:
        """Write the file if something changed and the last time is long enough ago."""
        if self._changed and time.monotonic() - self._written_at >= self._pause:
            self.write()

    def write(self) -> None:
        """Write the file in the place of the one before. Raises OSError."""
        began = time.monotonic()
        self._render_texts()
        self.set_widgets_metadata()
        content = json.dumps(self._assembled(), ensure_ascii=False, indent=1).encode("utf-8", "replace")
        incoming = self._path.with_name(self._path.name + ".incoming")
        try:
            incoming.write_bytes(content)
            incoming.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                incoming.unlink()
            raise
        finally:
            self._written_at = time.monotonic()
            self._pause = max(_LEAST_SECONDS, (self._written_at - began) / _SHARE_OF_TIME)
        self._changed = False

    def _assembled(self) -> dict[str, Any]:
        if not self._last:
            return dict(self.nb)
        cells = list(self.nb.cells)
        for index, last in self._last.items():
            count = self._left_out[index]
            note = f"[... {count:,} outputs are left out here; the job's log has them all ...]\n"
            said = [{"output_type": "stream", "name": "stderr", "text": note}] if count else []
            cells[index] = {**cells[index], "outputs": [*cells[index].outputs, *said, *last]}
        return {**self.nb, "cells": cells}

    def _place(self, outs: list[NotebookNode], node: NotebookNode, index: int) -> None:
        if len(outs) < _FIRST_OUTPUTS:
            outs.append(node)
            return
        last = self._last.setdefault(index, deque())
        self._left_out.setdefault(index, 0)
        last.append(node)
        if len(last) > _LAST_OUTPUTS:
            self._texts.pop(id(last.popleft()), None)
            self._left_out[index] += 1

    def _within_limit(self, node: NotebookNode, index: int) -> NotebookNode:
        """Take the data out of an output that no longer fits; the log has it."""
        if "data" not in node:
            return node
        size = sum(len(value) if isinstance(value, str) else len(str(value)) for value in node.data.values())
        self._sizes[index] = self._sizes.get(index, 0) + size
        if self._sizes[index] > _LARGEST_CELL:
            self._sizes[index] -= size
            kinds = ", ".join(node.data)
            note = f"[an output of {size:,} characters ({kinds}) is left out here; the log has it]"
            node["data"] = _node({"text/plain": note})
        return node

    def _clear_if_asked(self, cell: NotebookNode, index: int) -> None:
        if self.clear_before_next_output:
            cell.outputs[:] = []
            self.clear_display_id_mapping(index)
            self.clear_before_next_output = False
            self._forget(index)

    def _forget(self, index: int) -> None:
        self._sizes.pop(index, None)
        self._last.pop(index, None)
        self._left_out.pop(index, None)
        # Their nodes may be gone; a program that clears and prints in a loop must not fill the memory.
        self._render_texts()
        self._texts.clear()

    def _render_texts(self) -> None:
        for node, merged in self._texts.values():
            node["text"] = merged.render()


def _node(content: dict[str, Any]) -> NotebookNode:
    node: NotebookNode = from_dict(content)  # type: ignore[no-untyped-call]
    return node


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
