"""Which names a cell needs from the notebook, and which it defines."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_mlws.capture.flow import Flow
from jupyter_mlws.capture.syntax import CellSyntaxError

__all__ = ["CellNames", "CellSyntaxError", "analyze"]


@dataclass(frozen=True)
class CellNames:
    """The names of a cell's top level, each once."""

    needs: tuple[str, ...]
    """Read where they are not certainly assigned, in the order of the first such read."""
    defines: tuple[str, ...]
    """Assigned and not deleted again, in order; without imports."""
    optional: frozenset[str]
    """Those of `needs` that may be missing in the notebook: the cell may assign them itself, reads them only
    where it handles a `NameError`, in a function that it never uses, or in a shell line."""
    builtins: tuple[str, ...] = ()
    """Builtin names that the cell reads. The notebook may have put variables of its own in their place."""


def analyze(source: str) -> CellNames:
    """Return the names of the cell `source`, which may hold magics and shell lines. Nothing is executed.

    Raises `CellSyntaxError`.
    """
    flow = Flow()
    flow.run(source)
    found = flow.finish()
    return CellNames(
        needs=tuple(found.needs),
        defines=tuple(found.defines),
        optional=frozenset(found.needs) - found.required,
        builtins=tuple(found.builtins),
    )
