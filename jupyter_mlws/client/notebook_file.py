"""Reads a notebook's JSON, whatever its age, and says in a sentence when it is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlws.model.errors import Malformed, NotFound

_NOTEBOOK_VERSION = 4


class NotANotebook(Malformed):
    """A file or a text that should be a notebook is none."""

    code = "not_a_notebook"


class FileMissing(NotFound):
    """A notebook or script was submitted by a path where no file can be read."""

    code = "file_missing"


def read_file(path: Path) -> bytes:
    """Return what the file holds. Raises `FileMissing`."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise FileMissing(f"{path} is a folder.", hint="Name the notebook or script in it.") from None
    except OSError as error:
        raise FileMissing(
            f"{path} cannot be read: {error.strerror}.", hint=f"The current folder is {Path.cwd()}."
        ) from None


def parse(content: bytes, *, where: str) -> dict[str, Any]:
    """Return the notebook in nbformat 4. Older ones are upgraded. Raises `NotANotebook`."""
    if not content.strip():
        raise NotANotebook(f"{where} is empty; it is no notebook.", hint="Open it in JupyterLab and save it.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotANotebook(
            f"{where} is no notebook: it is not JSON ({error}).", hint="Open it in JupyterLab and save it."
        ) from None
    if not isinstance(found, dict) or not isinstance(found.get("nbformat"), int):
        raise NotANotebook(
            f"{where} is no notebook: it is JSON without nbformat.", hint="Open it in JupyterLab and save it."
        )
    return upgraded(found, where=where)


def upgraded(notebook: dict[str, Any], *, where: str) -> dict[str, Any]:
    """Return `notebook` in nbformat 4, checked for what a run needs. Raises `NotANotebook`."""
    version = notebook.get("nbformat")
    if version != _NOTEBOOK_VERSION:
        notebook = _converted(notebook, where=where)
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise NotANotebook(f"{where} is no notebook: it has no list of cells.")
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or not isinstance(cell.get("source"), (str, list)):
            raise NotANotebook(f"{where} is no valid notebook: its cell {number} has no source.")
    return notebook


def _converted(notebook: dict[str, Any], *, where: str) -> dict[str, Any]:
    # nbformat takes most of a second to import, and few notebooks are that old.
    import nbformat

    version = notebook.get("nbformat")
    try:
        read = nbformat.reads(json.dumps(notebook), as_version=_NOTEBOOK_VERSION)  # type: ignore[no-untyped-call]
    except Exception as error:  # nbformat raises whatever an invalid notebook made it stumble over
        raise NotANotebook(
            f"{where} is a notebook of format {version} that cannot be brought to format 4 "
            f"({type(error).__name__}: {str(error)[:300]}).",
            hint="Open it in a newer JupyterLab and save it in format 4.",
        ) from None
    converted: dict[str, Any] = json.loads(json.dumps(read))
    return converted


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
