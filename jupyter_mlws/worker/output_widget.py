"""The front end's half of an ipywidgets Output widget, for kernels that have no front end."""

from __future__ import annotations

from typing import Any

from nbclient.output_widget import OutputWidget

_LARGEST = 1 << 20


class BoundedOutputWidget(OutputWidget):
    """Keeps what an Output widget captured, up to a limit.

    All of it is sent back to the kernel at each change, so that without a limit a long loop in a widget
    would take quadratic time and memory. The job's log has everything.
    """

    _size = 0

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> None:
        """Take an output, unless too much was taken since the widget was cleared."""
        if self.clear_before_next_output:
            self._size = 0
        self._size += len(str(msg["content"]))
        if self._size <= _LARGEST:
            super().output(outs, msg, display_id, cell_index)

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Clear the widget, now or before the next output."""
        if not msg["content"].get("wait"):
            self._size = 0
        super().clear_output(outs, msg, cell_index)
