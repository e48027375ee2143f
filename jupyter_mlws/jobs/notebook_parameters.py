"""Which parameters a notebook declares: what its cell tagged `parameters` assigns, as papermill has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_mlws.capture.names import CellSyntaxError, analyze
from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.parameters import PARAMETERS_TAG


class ParameterUnknown(Invalid):
    """A notebook declares its parameters, and a value was given for another name."""

    code = "parameter_unknown"


def check_parameters(notebook: Mapping[str, Any], names: Iterable[str], *, where: str) -> None:
    """Raise `ParameterUnknown` when the notebook declares parameters and one of `names` is none of them.

    A notebook without a cell tagged `parameters` takes any. `where` names it for people.
    """
    declared = declared_parameters(notebook)
    if declared is None:
        return
    for name in names:
        if name not in declared:
            raise ParameterUnknown(
                f"The notebook {where} has no parameter {name[:100]!r}.",
                hint=f"Its cell tagged `{PARAMETERS_TAG}` has {', '.join(declared) or 'none'}.",
            )


def declared_parameters(notebook: Mapping[str, Any]) -> list[str] | None:
    """Return the names that the cells tagged `parameters` assign, in order; None when there is no such cell.

    Also None when they cannot be told: the code is of another language, or does not parse.
    """
    cells = notebook.get("cells")
    tagged = [cell for cell in cells if _is_tagged(cell)] if isinstance(cells, list) else []
    if not tagged:
        return None
    try:
        return list(dict.fromkeys(name for cell in tagged for name in analyze(_source(cell)).defines))
    except CellSyntaxError:
        return None


def _is_tagged(cell: object) -> bool:
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return False
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and PARAMETERS_TAG in tags


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(map(str, source))
