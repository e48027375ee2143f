"""Outputs as nbformat has them, fit for a line of the log: what is large goes to a file beside it."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from typing import Any

LARGEST_VALUE = 64 * 1024
"""Characters of one value in a line of the log."""
_LARGEST_LINE = 300 * 1024
_LONGEST_ERROR = 32 * 1024
_BINARY = ("image/", "audio/", "video/")
_ALSO_BINARY = ("application/pdf", "application/octet-stream", "application/zip")
_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "application/javascript": "js",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "video/mp4": "mp4",
    "text/html": "html",
    "text/latex": "tex",
    "text/markdown": "md",
}

Keep = Callable[[str, bytes], "dict[str, Any]"]
"""Writes bytes to a file with the extension that is given, and returns a `FileValue` as JSON."""


def rich_output(kind: str, content: dict[str, Any], *, keep: Keep) -> dict[str, Any]:
    """Return the output of a message `display_data`, `execute_result` or `update_display_data`."""
    output: dict[str, Any] = {
        "output_type": kind,
        "data": _data(content.get("data") or {}, keep),
        "metadata": content.get("metadata") or {},
    }
    if kind == "execute_result":
        output["execution_count"] = content.get("execution_count")
    if len(json.dumps(output["metadata"])) > LARGEST_VALUE:
        output["metadata"] = {}
    return output


def error_output(content: dict[str, Any], *, keep: Keep) -> dict[str, Any]:
    """Return the output of a message `error`; a very long text is shortened here and whole in a file."""
    name = str(content.get("ename", ""))
    value = str(content.get("evalue", ""))
    lines = [str(line) for line in content.get("traceback") or []]
    size = len(name) + len(value) + sum(map(len, lines))
    if size > _LARGEST_LINE // 2:
        file = keep("txt", "\n".join([f"{name}: {value}", *lines]).encode("utf-8", "replace"))
        note = f"all of it is in outputs/{file['file']}"
        value = shortened(value, note=note)
        lines = [shortened("\n".join(lines), note=note)]
        name = name[:1000]
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": lines}


def shortened(text: str, *, note: str, longest: int = _LONGEST_ERROR) -> str:
    """Return `text`, or its beginning and end and how much is left out between."""
    if len(text) <= longest:
        return text
    half = longest // 2
    gone = len(text) - 2 * half
    return f"{text[:half]}\n[... {gone:,} characters are left out here; {note} ...]\n{text[-half:]}"


def without_nan(value: Any) -> Any:
    """Return the JSON value with NaN and infinities as texts: JSON has none."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return value


def _data(bundle: dict[str, Any], keep: Keep) -> dict[str, Any]:
    sizes = {mime: _size(value) for mime, value in bundle.items()}
    inline = sum(sizes.values())
    data: dict[str, Any] = {}
    # The largest first: what goes to a file makes room for the others.
    for mime in sorted(bundle, key=lambda mime: -sizes[mime]):
        if sizes[mime] > LARGEST_VALUE or inline > _LARGEST_LINE:
            data[mime] = keep(_extension(mime, bundle[mime]), _bytes(mime, bundle[mime]))
            inline -= sizes[mime]
        else:
            data[mime] = bundle[mime]
    return {mime: data[mime] for mime in bundle}


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))


def _extension(mime: str, value: Any) -> str:
    if not isinstance(value, str):
        return "json"
    if mime in _EXTENSIONS:
        return _EXTENSIONS[mime]
    return "bin" if _is_binary(mime) else "txt"


def _is_binary(mime: str) -> bool:
    return (mime.startswith(_BINARY) and not mime.endswith("+xml")) or mime in _ALSO_BINARY


def _bytes(mime: str, value: Any) -> bytes:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    if _is_binary(mime):
        try:
            return base64.b64decode(value)
        except (binascii.Error, ValueError):
            return value.encode("utf-8", "replace")
    return value.encode("utf-8", "replace")
