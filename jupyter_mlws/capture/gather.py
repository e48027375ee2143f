"""Looks up in the notebook what a cell needs."""

from __future__ import annotations

import builtins
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from jupyter_mlws.capture.names import CellNames, analyze
from jupyter_mlws.capture.portable import is_shells_own, shorten
from jupyter_mlws.model.errors import Invalid


class NameNotDefined(Invalid):
    """A cell reads names that neither it nor the notebook defines. `names` are all of them."""

    code = "name_not_defined"

    def __init__(self, names: Sequence[str], *, asked: bool) -> None:
        shown = ", ".join(f"`{shorten(name)}`" for name in names[:20])
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        many = len(names) > 1
        where = "given with --in" if asked else "used in the cell"
        super().__init__(
            f"The name{'s' if many else ''} {shown}{more} {'are' if many else 'is'} {where} and not defined"
            f" in the notebook.",
            hint=f"Run the cell that defines {'them' if many else 'it'} first"
            + ("." if asked else ", or say with --in which variables to send."),
        )
        self.names = tuple(names)


@dataclass(frozen=True)
class Captured:
    """What a cell takes along from the notebook."""

    variables: dict[str, object]
    """All that is to be packed, by name and in the order of use; modules are in it."""
    modules: dict[str, str]
    """Of these the modules, which go by name: `np` to `numpy`."""
    names: CellNames
    """What the analysis of the cell said."""


def gather(source: str, namespace: Mapping[str, object], *, only: Sequence[str] | None = None) -> Captured:
    """Return the variables of `namespace` that the cell `source` needs.

    `only` names the variables to send instead; the modules that the cell uses are sent all the same.

    Raises `CellSyntaxError`, and `NameNotDefined` with every name that is missing.
    """
    names = analyze(source)
    if only is None:
        wanted = [*names.needs, *_shadowed(names.builtins, namespace)]
        missing = [name for name in names.needs if name not in namespace and name not in names.optional]
    else:
        wanted = [*only, *(name for name in names.needs if _is_module(namespace.get(name)))]
        missing = [name for name in only if name not in namespace]
    if missing:
        raise NameNotDefined(list(dict.fromkeys(missing)), asked=only is not None)
    variables = {name: namespace[name] for name in wanted if name in namespace}
    modules = {
        name: value.__name__ for name, value in variables.items() if isinstance(value, types.ModuleType)
    }
    return Captured(variables=variables, modules=modules, names=names)


def _is_module(value: object) -> TypeGuard[types.ModuleType]:
    return issubclass(type(value), types.ModuleType)  # isinstance would ask the value itself


def _shadowed(names: Sequence[str], namespace: Mapping[str, object]) -> list[str]:
    """Return the builtin names that the notebook uses for something of its own, such as `input` or `id`."""
    shadowed = []
    for name in names:
        if name in namespace and not is_shells_own(name, namespace[name]):
            value = namespace[name]
            if value is not getattr(builtins, name, None):
                shadowed.append(name)
    return shadowed
