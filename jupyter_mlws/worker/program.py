"""What a task runs, as code cells of a notebook: every kind of job becomes an executed notebook."""

from __future__ import annotations

import json
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlws.model.errors import Malformed
from jupyter_mlws.model.job import JobKind, KernelChoice
from jupyter_mlws.model.parameters import Parameter
from jupyter_mlws.worker.injection import code_cell, inject, parameters_cell, source_of, tags_of
from jupyter_mlws.worker.parameters import INJECTED_TAG, arguments
from jupyter_mlws.worker.task import Task

_INSIDE = "__import__('sys').modules['_mlws_inside']"
_SKIPPED_TAG = "skip-execution"
_MAY_FAIL_TAG = "raises-exception"


class NotebookInvalid(Malformed):
    """The file is no notebook."""

    code = "notebook_invalid"


class ScriptUnreadable(Malformed):
    """The script is not there, or its text cannot be decoded."""

    code = "script_unreadable"


@dataclass(frozen=True)
class CodeCell:
    """A cell to run: `index` among the cells of the executed notebook from 0."""

    index: int
    position: int | None
    """Number among the code cells that the user wrote, from 1; None for the one that gives the parameters."""
    code: str
    """What is sent to the kernel; for scripts and functions it is not what the notebook shows."""
    may_fail: bool = False
    skipped: bool = False


@dataclass(frozen=True)
class Program:
    """The notebook that becomes the executed one (nbformat 4.5, plain dicts), and its cells to run."""

    notebook: dict[str, Any]
    cells: list[CodeCell]
    warnings: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many code cells the user wrote."""
        return sum(cell.position is not None for cell in self.cells)


def read_notebook(path: Path) -> dict[str, Any]:
    """Return the notebook's JSON as it is in the file. Raises `NotebookInvalid`."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise NotebookInvalid(
            f"{path.name!r} cannot be read as a notebook: {error}.",
            hint="A notebook is a JSON file; open it in JupyterLab and save it again.",
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise NotebookInvalid(
            f"{path.name!r} is JSON but no notebook: it has no `nbformat`.",
            hint="Open it in JupyterLab and save it again.",
        )
    return content


def kernel_for(task: Task, notebook: Mapping[str, Any] | None) -> KernelChoice:
    """Return the kernel that the task asks for, or else the one that its notebook names."""
    choice = task.spec.kernel
    if choice.name or choice.executable or notebook is None:
        return choice
    named = notebook.get("metadata", {}).get("kernelspec", {}).get("name")
    return KernelChoice(name=named) if isinstance(named, str) and named else choice


def program(task: Task, notebook: Mapping[str, Any] | None) -> Program:
    """Return what `task` runs; `notebook` is what `read_notebook` gave, for a notebook job.

    Raises:
        NotebookInvalid: the notebook is of an unknown format.
        ScriptUnreadable: the script cannot be read.
    """
    parameters = task.spec.values
    if task.spec.kind is JobKind.NOTEBOOK:
        assert notebook is not None
        return _of_notebook(notebook, parameters)
    if task.spec.kind is JobKind.SCRIPT:
        return _of_script(Path(task.script or task.spec.path or ""), parameters)
    cells = [parameters_cell(parameters)] if parameters else []
    if task.spec.kind is JobKind.FUNCTION:
        shown = task.spec.code or f"# The function {task.spec.name}, called with its captured arguments"
        cells.append(code_cell(shown))
        made = _runnable(_new_notebook(cells), added=bool(parameters))
        called = CodeCell(len(cells) - 1, 1, f"{_INSIDE}.call_function()")
        return Program(made.notebook, [*made.cells[: len(cells) - 1], called])
    cells.append(code_cell(task.spec.code or ""))
    return _runnable(_new_notebook(cells), added=bool(parameters))


def script_call(path: str, parameters: Mapping[str, Parameter]) -> str:
    """Return the code that runs the script at `path`, as the kernel sees it."""
    return f"{_INSIDE}.run_script({path!r}, {arguments(parameters)!r})"


def _of_notebook(content: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> Program:
    upgraded = _upgraded(content)
    changed, warnings = inject(upgraded, parameters)
    made = _runnable(changed, added=len(changed["cells"]) > len(upgraded["cells"]))
    return Program(made.notebook, made.cells, warnings)


def _of_script(path: Path, parameters: Mapping[str, Parameter]) -> Program:
    try:
        with tokenize.open(path) as stream:
            text = stream.read()
    except (OSError, SyntaxError, ValueError) as error:
        raise ScriptUnreadable(f"The script {path.name!r} cannot be read: {error}.") from error
    call = script_call(str(path), parameters)
    return Program(_new_notebook([code_cell(text)]), [CodeCell(0, 1, call)])


def _upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notebook in nbformat 4.5: newer fields are kept, older formats are converted."""
    from nbformat import convert, reader
    from nbformat.v4 import upgrade
    from nbformat.validator import normalize

    try:
        # What `nbformat.reads` does, but for its validation: it refuses nothing, and to build the validator
        # takes as long as all else that a worker does.
        node = convert(reader.reads(json.dumps(content)), 4)  # type: ignore[no-untyped-call]
        if node.nbformat_minor < 5:
            node = upgrade(node, from_version=4, from_minor=node.nbformat_minor)  # type: ignore[no-untyped-call]
        _, node = normalize(node)
    except Exception as error:  # nbformat raises what its converters stumble over
        raise NotebookInvalid(
            f"The notebook cannot be read: {str(error)[:300]}.",
            hint="Open it in JupyterLab and save it again.",
        ) from error
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return dict(node)


def _runnable(notebook: dict[str, Any], *, added: bool) -> Program:
    """`added` says whether the cell with the parameters is none that the user sees."""
    allows_errors = bool(notebook.get("metadata", {}).get("execution", {}).get("allow_errors"))
    cells: list[CodeCell] = []
    position = 0
    for index, cell in enumerate(notebook["cells"]):
        source = source_of(cell)
        if cell.get("cell_type") != "code" or not source.strip():
            continue
        tags = tags_of(cell)
        may_fail = allows_errors or _MAY_FAIL_TAG in tags
        skipped = _SKIPPED_TAG in tags
        hidden = added and INJECTED_TAG in tags
        position += not hidden
        number = None if hidden else position
        cells.append(CodeCell(index, number, source, may_fail=may_fail, skipped=skipped))
    return Program(notebook, cells)


def _new_notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
