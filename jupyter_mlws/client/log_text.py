"""The events of a job as text, as a terminal shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jupyter_mlws.client import wording
from jupyter_mlws.model.events import LogEvent, Message, Output

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def of_event(event: LogEvent) -> str:
    """Return what the event prints, with the kernel's own colours; empty when it prints nothing."""
    if isinstance(event, Message):
        return f"[{event.level}] {event.text}\n"
    if not isinstance(event, Output):
        return ""
    output = event.output
    kind = output.get("output_type")
    if kind == "stream":
        return _joined(output.get("text"))
    if kind == "error":
        lines = output.get("traceback")
        if isinstance(lines, list) and lines:
            return "\n".join(str(line) for line in lines) + "\n"
        return f"{output.get('ename')}: {output.get('evalue')}\n"
    if kind in ("display_data", "execute_result"):
        data = output.get("data")
        return _of_bundle(data if isinstance(data, dict) else {})
    return ""


def plain(text: str) -> str:
    """Return `text` without colours."""
    return _ESCAPES.sub("", text)


def is_file(value: object) -> bool:
    """Return whether a value of a rich output stands for a file beside the log."""
    return isinstance(value, dict) and value.keys() == {"file", "size"}


def _of_bundle(data: Mapping[str, object]) -> str:
    text = data.get("text/plain")
    if isinstance(text, (str, list)):
        return _joined(text).rstrip("\n") + "\n"
    shown = []
    for mime, value in data.items():
        size = value.get("size") if isinstance(value, dict) and is_file(value) else len(str(value))
        shown.append(f"{mime} ({wording.size(size if isinstance(size, int) else 0)})")
    return f"[{', '.join(shown)}]\n" if shown else ""


def _joined(text: object) -> str:
    return "".join(str(part) for part in text) if isinstance(text, list) else str(text or "")
