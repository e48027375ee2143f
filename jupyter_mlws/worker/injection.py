"""Puts parameters into a notebook as papermill does: a cell after the one tagged `parameters`. Pure."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from typing import Any

from jupyter_mlws.model.parameters import PARAMETERS_TAG, Parameter
from jupyter_mlws.worker.parameters import INJECTED_TAG, assigned, assignments


def inject(notebook: dict[str, Any], parameters: Mapping[str, Parameter]) -> tuple[dict[str, Any], list[str]]:
    """Return a copy of `notebook` (nbformat 4.5) with the parameters, and sentences of warning.

    A cell that was injected earlier is replaced; without a tagged cell they come first.
    """
    if not parameters:
        return notebook, []
    changed = copy.deepcopy(notebook)
    cells: list[dict[str, Any]] = changed["cells"]
    cell = parameters_cell(parameters)
    declared = _tagged(cells, PARAMETERS_TAG)
    earlier = _tagged(cells, INJECTED_TAG)
    if earlier is not None:
        cells[earlier] = cell
    elif declared is not None:
        cells.insert(declared + 1, cell)
    else:
        cells.insert(0, cell)
    if declared is None:
        return changed, [
            "The notebook has no cell tagged `parameters`: the parameters were assigned in a cell "
            + ("that was injected earlier." if earlier is not None else "at its top.")
        ]
    known = assigned(source_of(notebook["cells"][declared]))
    unknown = [] if known is None else [name for name in parameters if name not in known]
    return changed, [
        f"The notebook's `parameters` cell does not assign {name!r}: it was assigned all the same."
        for name in unknown
    ]


def parameters_cell(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return a code cell that assigns the parameters."""
    return code_cell(assignments(parameters), tags=[INJECTED_TAG])


def code_cell(source: str, *, tags: list[str] | None = None) -> dict[str, Any]:
    """Return a code cell of nbformat 4.5 without outputs."""
    return {
        "id": secrets.token_hex(4),
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": tags} if tags else {},
        "outputs": [],
        "source": source,
    }


def source_of(cell: Mapping[str, Any]) -> str:
    """Return a cell's source; older writers keep it as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """Return a cell's tags."""
    tags = cell.get("metadata", {}).get("tags", [])
    return tags if isinstance(tags, list) else []


def _tagged(cells: list[dict[str, Any]], tag: str) -> int | None:
    for index, cell in enumerate(cells):
        if tag in tags_of(cell):
            return index
    return None
